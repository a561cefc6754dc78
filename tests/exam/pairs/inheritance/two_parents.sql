-- A child of two tables, with a default of its own.

---- before
create table a (x int);
create table b (y int);

---- after
create table a (x int);
create table b (y int);
create table c (x int default 7, z int) inherits (a, b);
