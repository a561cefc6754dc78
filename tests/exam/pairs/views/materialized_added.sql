-- With an index, and not filled.

---- before
create table t (id int primary key, a int);

---- data
insert into t values (1, 1);

---- after
create table t (id int primary key, a int);
create materialized view m as select a, count(*) as n from t group by a;
create unique index m_a on m (a);
create materialized view empty as select id from t with no data;
