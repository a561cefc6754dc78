-- ON DELETE, ON UPDATE, MATCH FULL.

---- before
create table a (x int, y int, primary key (x, y));
create table b (id int primary key, x int, y int, constraint b_a foreign key (x, y) references a);

---- data
insert into a values (1, 2);
insert into b values (1, 1, 2);

---- after
create table a (x int, y int, primary key (x, y));
create table b (id int primary key, x int, y int, constraint b_a foreign key (x, y) references a match full on update cascade on delete set null (y));
