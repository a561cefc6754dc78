-- The order of columns is the only difference.

---- before
create table a (id int primary key, name text, age int);

---- data
insert into a values (1, 'x', 3);

---- after
create table a (id int primary key, age int, name text);
