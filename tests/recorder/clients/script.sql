\set ON_ERROR_STOP off
\set VERBOSITY verbose
create table t (id int primary key, v text, n numeric, j jsonb);
create table if not exists t (id int);
insert into t select i, 'x' || i from generate_series(1, 1000) i;
begin; update t set v = 'y' where id < 10; savepoint s; select 1/0; select 2; rollback to s; commit;
begin; create index on t (v); select count(*) from t; commit and chain; update t set n = 1; rollback;
copy t (id, v) from stdin;
2000	ä
2001	\N
\.
copy t (id) from stdin;
no number
\.
begin;
alter table t add column extra int default 7;
\copy (select id, v, extra from t order by id limit 3) to stdout
\copy t (id, v) from stdin
3000	three
\.
commit;
do $$ begin raise notice 'hello'; raise warning 'careful' using errcode = '01004', detail = 'd', hint = 'h'; end $$;
select * from missing;
select v from t where id = 5 \gdesc
select v as one, id as two from t where id < 3 \gset found_
select 'create table made_' || i || ' ()' from generate_series(1, 3) i \gexec
select count(*) from t; select 'two' as statements \;  select 'in one message'; ;
select 1 \; select 1/0 \; select 3;
prepare p as select v from t where id = $1;
begin; update t set v = 'z' where id = 7; execute p(7); lock table t in share mode; rollback;
\set FETCH_COUNT 100
select id from t order by id limit 250;
\unset FETCH_COUNT
\set ON_ERROR_ROLLBACK on
begin; insert into t (id) values (1); select 'goes on'; commit;
alter table t drop column j;
listen bell; notify bell; notify bell, 'ding';
set statement_timeout = '300ms'; select pg_sleep(30); reset statement_timeout;
begin; drop table t; rollback;
vacuum t;
create index concurrently i on t (v);
select length(repeat('x', 3000000));
\dt
\c
select 'reconnected';
