-- A view on a view on a view, and the first changes.

---- before
create table t (id int primary key, a int);
create view v1 as select id, a from t;
create view v2 as select id, a from v1;
create view v3 as select v2.id, v1.a from v2 join v1 using (id);

---- after
create table t (id int primary key, a bigint);
create view v1 as select id, a + 1 as a from t;
create view v2 as select id, a from v1;
create view v3 as select v2.id, v1.a from v2 join v1 using (id);
