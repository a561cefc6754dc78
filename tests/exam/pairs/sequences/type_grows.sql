-- The key of a serial column grows.

---- before
create table t (id serial primary key, name text);

---- data
insert into t (name) values ('a');

---- after
create table t (id bigserial primary key, name text);
