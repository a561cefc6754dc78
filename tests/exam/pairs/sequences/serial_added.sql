-- A serial column for rows that exist.

---- before
create table t (name text);

---- data
insert into t values ('a'), ('b');

---- after
create table t (name text, id serial primary key);
