-- The domain is replaced by its base type.

---- before
create domain email as text check (value like '%@%');
create table person (id int primary key, email email);

---- data
insert into person values (1, 'a@b');

---- after
create table person (id int primary key, email text);
