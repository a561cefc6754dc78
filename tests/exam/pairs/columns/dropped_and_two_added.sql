-- Nothing tells whether one of the new columns is the old one.
-- expect: refusal

---- before
create table person (id int primary key, name text);

---- data
insert into person values (1, 'Ada Lovelace');

---- after
create table person (id int primary key, first_name text, last_name text);
