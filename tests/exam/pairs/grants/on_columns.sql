-- Grants on single columns.

---- before
create table t (id int primary key, a int, b int);
grant select (a) on t to app_reader;

---- after
create table t (id int primary key, a int, b int);
grant select (id, b), update (b) on t to app_reader;
