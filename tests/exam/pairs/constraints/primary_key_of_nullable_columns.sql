-- Columns that could be null until now.

---- before
create table seat ("row" int, number int, guest text);

---- data
insert into seat values (1, 1, 'Ada'), (1, 2, null);

---- after
create table seat ("row" int, number int, guest text, constraint "seat key" primary key ("row", number));
