-- One child leaves, one joins.

---- before
create table vehicle (id int);
create table truck (load int) inherits (vehicle);
create table ship (id int, draft int);

---- data
insert into truck values (1, 2);
insert into ship values (3, 4);

---- after
create table vehicle (id int);
create table truck (id int, load int);
create table ship (id int, draft int) inherits (vehicle);
