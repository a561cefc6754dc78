-- The function below a generated column and its index is replaced.

---- before
create function half(a int) returns int language sql immutable as 'select a / 2';
create table t (id int primary key, a int, h int generated always as (half(a)) stored);
create index t_h on t (h);

---- data
insert into t (id, a) values (1, 4), (2, 9);

---- after
create function half(a int) returns int language sql immutable strict as 'select a / 2';
create table t (id int primary key, a bigint, h int generated always as (half(a::int)) stored);
create index t_h on t (h);
