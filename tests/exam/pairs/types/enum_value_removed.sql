-- A value that no row uses.

---- before
create type level as enum ('low', 'middle', 'high');
create table alarm (id int primary key, level level not null default 'low');

---- data
insert into alarm values (1, 'high');

---- after
create type level as enum ('low', 'high');
create table alarm (id int primary key, level level not null default 'low');
