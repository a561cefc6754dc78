-- A column of enum arrays.

---- before
create type day as enum ('mon', 'tue');
create table shift (id int primary key, days day[] not null default '{mon}');

---- data
insert into shift values (1, '{mon,tue}');

---- after
create type day as enum ('mon', 'tue', 'wed');
create table shift (id int primary key, days day[] not null default '{mon}');
