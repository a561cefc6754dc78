-- A domain over another type.

---- before
create domain code as varchar(10);
create table part (id int primary key, code code);

---- data
insert into part values (1, 'A1');

---- after
create domain code as text;
create table part (id int primary key, code code);
