-- A view's column comes from another table now, and its old column goes.

---- before
create table a (id int primary key, name text);
create table b (id int primary key);
create view v as select a.id, a.name from a join b using (id);

---- after
create table a (id int primary key);
create table b (id int primary key, name text);
create view v as select a.id, b.name from a join b using (id);
