-- A check uses the function that changes.

---- before
create function ok(a int) returns boolean language sql immutable as 'select a > 0';
create table t (id int primary key, a int check (ok(a)));

---- data
insert into t values (1, 5);

---- after
create function ok(value int) returns boolean language sql immutable as 'select value > 1';
create table t (id int primary key, a int check (ok(a)));
