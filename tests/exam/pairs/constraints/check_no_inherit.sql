-- A check that children do not get.

---- before
create table item (id int primary key, a int);
create table special () inherits (item);

---- after
create table item (id int primary key, a int, constraint none_here check (false) no inherit);
create table special () inherits (item);
