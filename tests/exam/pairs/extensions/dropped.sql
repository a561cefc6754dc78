-- Nobody uses the extension any more.

---- before
create extension citext;
create table person (id int primary key, name text);

---- data
insert into person values (1, 'Ada');

---- after
create table person (id int primary key, name text);
