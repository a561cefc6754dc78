-- A text column becomes an enum.

---- before
create table job (id int primary key, state text not null default 'new');

---- data
insert into job values (1, 'new'), (2, 'done');

---- after
create type state as enum ('new', 'done');
create table job (id int primary key, state state not null default 'new');
