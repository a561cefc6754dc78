-- CREATE OR REPLACE cannot do it; a view uses the function.

---- before
create table t (id int primary key);
create function twice(a int) returns int language sql immutable as 'select a * 2';
create view v as select id, twice(id) as x from t;

---- after
create table t (id int primary key);
create function twice(a int) returns bigint language sql immutable as 'select a * 2::bigint';
create view v as select id, twice(id) as x from t;
