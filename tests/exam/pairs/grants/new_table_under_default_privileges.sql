-- A table made where default privileges hold has exactly the grants that are wanted.

---- before
create schema s;
alter default privileges in schema s grant select on tables to app_reader;

---- after
create schema s;
alter default privileges in schema s grant select on tables to app_reader;
create table s.plain (id int primary key);
create table s.closed (id int primary key);
revoke all on s.closed from app_reader;
