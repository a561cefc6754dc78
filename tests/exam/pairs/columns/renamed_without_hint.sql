-- The same without a word of the developer: the values must not get lost in silence.
-- expect: refusal

---- before
create table person (id int primary key, mail text not null);

---- data
insert into person values (1, 'ada@example.com');

---- after
create table person (id int primary key, email text not null);
