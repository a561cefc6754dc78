-- A value at the end.

---- before
create type mood as enum ('sad', 'ok');
create table person (id int primary key, mood mood not null default 'ok');

---- data
insert into person values (1, 'sad');

---- after
create type mood as enum ('sad', 'ok', 'happy');
create table person (id int primary key, mood mood not null default 'ok');
