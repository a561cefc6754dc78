-- The last user goes, and the type with it.

---- before
create type colour as enum ('red');
create table car (id int primary key, colour colour);

---- after
create table car (id int primary key);
