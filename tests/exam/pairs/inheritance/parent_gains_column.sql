-- The child gets it too.

---- before
create table vehicle (id int primary key);
create table truck (load int) inherits (vehicle);

---- data
insert into vehicle values (1);
insert into truck values (2, 10);

---- after
create table vehicle (id int primary key, wheels int not null default 4, check (wheels > 0));
create table truck (load int) inherits (vehicle);
