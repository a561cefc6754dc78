-- Three views, three changes.

---- before
create table t (id int primary key, a int, b int);
create view changed as select id, a from t;
create view gone as select id from t;

---- data
insert into t values (1, 2, 3);

---- after
create table t (id int primary key, a int, b int);
create view changed as select id, a, b from t;
create view fresh as select count(*) as n from t;
