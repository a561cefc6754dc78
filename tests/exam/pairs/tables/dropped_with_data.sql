-- A table with rows.

---- before
create table keep (id int primary key);
create table old (id int primary key, name text);

---- data
insert into keep values (1);
insert into old values (1, 'a'), (2, 'b');

---- after
create table keep (id int primary key);
