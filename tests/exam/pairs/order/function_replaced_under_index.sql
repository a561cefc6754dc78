-- An index and a generated column use the function that changes.

---- before
create function norm(a text) returns text language sql immutable as 'select lower(a)';
create table t (id int primary key, a text, n text generated always as (norm(a)) stored);
create index t_norm on t (norm(a));

---- data
insert into t values (1, 'Ada');

---- after
create function norm(a text) returns text language sql immutable as 'select upper(a)';
create table t (id int primary key, a text, n text generated always as (norm(a)) stored);
create index t_norm on t (norm(a));
