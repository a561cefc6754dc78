-- Another definition; the indexes, grants and comments are still wanted.

---- before
create table t (id int primary key, a int);
create materialized view m as select a from t;
create unique index m_a on m (a);
grant select on m to app_reader;
comment on materialized view m is 'a sum';

---- data
insert into t values (1, 1);

---- after
create table t (id int primary key, a int);
create materialized view m as select a, 1 as one from t;
create unique index m_a on m (a);
grant select on m to app_reader;
comment on materialized view m is 'a sum';
