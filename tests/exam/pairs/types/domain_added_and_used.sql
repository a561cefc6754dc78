-- A new domain that a table uses.

---- before
create table person (id int primary key, email text);

---- data
insert into person values (1, 'ada@example.com');

---- after
create domain email as text check (value like '%@%');
create table person (id int primary key, email email);
