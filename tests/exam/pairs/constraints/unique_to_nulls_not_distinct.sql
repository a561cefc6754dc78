-- The constraint changes how it treats null.

---- before
create table seat (id int primary key, number int, constraint seat_number unique (number));

---- data
insert into seat values (1, 1), (2, null);

---- after
create table seat (id int primary key, number int, constraint seat_number unique nulls not distinct (number));
