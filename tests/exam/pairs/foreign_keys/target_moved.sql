-- It refers to another table now.

---- before
create table a (id int primary key);
create table c (id int primary key);
create table b (id int primary key, ref int constraint b_ref references a);

---- data
insert into a values (1);
insert into c values (1);
insert into b values (1, 1);

---- after
create table a (id int primary key);
create table c (id int primary key);
create table b (id int primary key, ref int constraint b_ref references c);
