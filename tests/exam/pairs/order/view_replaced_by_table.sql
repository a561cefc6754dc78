-- A name that was a view is a table.

---- before
create table t (id int primary key);
create view summary as select count(*) as n from t;

---- data
insert into t values (1);

---- after
create table t (id int primary key);
create table summary (n bigint);
