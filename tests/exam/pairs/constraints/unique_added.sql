-- Unique over two columns.

---- before
create table seat (id int primary key, room int, number int);

---- data
insert into seat values (1, 1, 1), (2, 1, 2);

---- after
create table seat (id int primary key, room int, number int, unique (room, number));
