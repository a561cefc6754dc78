-- The base type of a domain with a default, NOT NULL and a check, used in a table with a view, and in arrays.

---- before
create domain amount as int default 1 not null check (value > 0);
create table bill (id int primary key, total amount default 5, parts amount[]);
create view due as select id, total from bill;

---- data
insert into bill values (1, 7, array[1, 2]::amount[]);

---- after
create domain amount as bigint default 2 not null check (value > 0);
create table bill (id int primary key, total amount default 5, parts amount[]);
create view due as select id, total from bill;
