-- Added, dropped, another type and another default in one table.

---- before
create table item (id int primary key, title varchar(20), price int default 1, old boolean);

---- data
insert into item values (1, 'cup', 5, true), (2, 'pot', 7, false);

---- after
create table item (id int primary key, title varchar(200) not null, price int default 0, note text);
