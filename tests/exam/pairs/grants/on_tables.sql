-- Grants come and go, with and without the right to pass them on.

---- before
create table t (id int primary key);
create table u (id int primary key);
grant select, insert on t to app_reader;
grant select on u to public;

---- after
create table t (id int primary key);
create table u (id int primary key);
grant select on t to app_reader with grant option;
grant select, update, delete on u to app_writer;
