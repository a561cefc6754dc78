-- The view needs a function that needs a table.

---- before
create table t (id int primary key);

---- after
create table t (id int primary key, a int);
create function doubled(t) returns int language sql stable as 'select $1.a * 2';
create view v as select id, doubled(t) as twice from t;
