-- A table without WAL.

---- before
create table cache (key text primary key, value text);

---- data
insert into cache values ('a', 'b');

---- after
create unlogged table cache (key text primary key, value text);
