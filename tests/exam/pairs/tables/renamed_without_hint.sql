-- The same without a word: the rows must not get lost in silence.
-- expect: refusal

---- before
create table client (id int primary key, name text not null);

---- data
insert into client values (1, 'Ada');

---- after
create table customer (id int primary key, name text not null);
