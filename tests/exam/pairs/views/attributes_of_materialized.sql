-- Statistics, compression, options, and what hangs on it.

---- before
create table t (id int primary key, a int, b text);
create materialized view m as select id, a, b from t;
create materialized view n as select id from t;

---- data
insert into t values (1, 1, 'x');
refresh materialized view m;

---- after
create table t (id int primary key, a int, b text);
create materialized view m with (fillfactor = 70) as select id, a, b from t;
alter materialized view m alter a set statistics 500, alter b set compression pglz, alter b set storage external;
create index m_a on m (a);
alter materialized view m cluster on m_a;
comment on column m.a is 'a';
grant select on m to app_reader;
create materialized view n as select id, a from t with no data;
create materialized view o as select id from n with no data;
