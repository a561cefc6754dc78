-- Rows exist on both sides.

---- before
create table a (id int primary key);
create table b (id int primary key, a_id int);

---- data
insert into a values (1);
insert into b values (1, 1), (2, null);

---- after
create table a (id int primary key);
create table b (id int primary key, a_id int references a);
