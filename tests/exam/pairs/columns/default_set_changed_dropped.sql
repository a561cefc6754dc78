-- Three columns, three changes of a default.

---- before
create table job (id int primary key, a int, b int default 1, c int default 2);

---- data
insert into job values (1, 1, 1, 1);

---- after
create table job (id int primary key, a int default 5, b int default 6, c int);
