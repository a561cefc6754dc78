-- A typed table.

---- before
create type point3 as (x int, y int, z int);

---- after
create type point3 as (x int, y int, z int);
create table point of point3 (primary key (x, y, z));
