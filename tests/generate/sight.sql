-- One schema, and below it changes of which each shows in pg_dump: definitions must not miss one that it sees.

create schema app;
create extension if not exists citext;
create type mood as enum ('low', 'high');
create type pair as (a int, b int);
create type span as range (subtype = int);
create domain short as text check (length(value) < 9);
create function f(a int) returns int language sql as 'select a';
create procedure pr(a int) language sql as 'select 1';
create function tr() returns trigger language plpgsql as 'begin return new; end';
create aggregate total (int) (sfunc = int4pl, stype = int);
create table t (id int primary key, a int, b text, n int not null, s serial, i int generated always as identity, g int generated always as (a+1) stored);
create table u (id int primary key, t_id int constraint u_t references t, constraint ck check (id > 0));
create index t_a on t (a);
create unique index t_n on t (n);
create table par (x int, y int);
create table chi (z int) inherits (par);
create table p (x int not null, y int, k text) partition by range (x);
create table p1 partition of p for values from (0) to (10);
create table p2 (k text, x int not null, y int);
alter table p attach partition p2 for values from (10) to (20);
create table pk (x int not null primary key, y int) partition by range (x);
create table pk1 partition of pk for values from (0) to (10);
create index pk_y on pk (y);
create view v as select id, a from t;
create view w as select id from v;
create materialized view m as select id, a from t;
create index m_a on m (a);
create sequence q;
create statistics st (dependencies) on a, b from t;
create publication pub for table t, u;
create rule ru as on delete to u do instead nothing;
create trigger tg before insert on t for each row execute function tr();
create trigger ptg after insert on p for each row execute function tr();
create policy po on t using (a > 0);
create text search configuration cfg (copy = simple);
create text search dictionary dict (template = simple);
create operator === (leftarg = int, rightarg = int, function = int4eq);
create collation coll (locale = 'C');

---- changes
alter view v alter a set default 5
alter view v set (security_invoker)
alter view v set (security_barrier, check_option = local)
comment on column v.a is 'x'
comment on view v is 'x'
grant select (a) on v to app_reader
grant select on v to app_reader
grant select on m to app_reader
alter materialized view m set (fillfactor = 50)
alter materialized view m alter a set statistics 5
alter materialized view m alter a set (n_distinct = 5)
alter materialized view m alter a set storage plain
alter materialized view m cluster on m_a
refresh materialized view m with no data
comment on materialized view m is 'x'
comment on column m.a is 'x'
alter view v rename column a to aa
alter table p1 alter y set default 4
alter table p alter y set default 4
alter table only p alter y set default 4
alter table p1 alter y set not null
alter table p alter y set not null
alter table only p1 add constraint c check (y > 0)
alter table p add constraint c check (y > 0)
alter table p detach partition p1
alter table p detach partition p2
create index on p (y)
create index on only p (y)
create index p1_y on p1 (y)
create index p1_y on p1 (y); create index p_y on p (y)
alter index pk1_y_idx rename to other
alter index pk1_pkey rename to other
alter index pk1_y_idx set (fillfactor = 50)
alter table pk1 set (fillfactor = 50)
alter index pk_y rename to other
alter table pk1 replica identity using index pk1_pkey
alter table pk1 cluster on pk1_pkey
alter table p1 alter k set statistics 3
alter table p1 alter k set storage external
alter table p1 alter k set compression pglz
alter table p alter k set compression pglz
comment on column p1.k is 'x'
comment on index pk1_y_idx is 'x'
alter table p1 disable trigger ptg
alter table only p disable trigger ptg
create table p3 partition of p default
create table p3 partition of p default partition by list (k)
create table p3 partition of p (y default 7) for values from (20) to (30)
create table p3 partition of p (constraint cc check (y > 3)) for values from (20) to (30)
alter table p1 enable row level security
grant select on p1 to app_reader
grant select (x) on p1 to app_reader
create unlogged table p3 partition of p default
alter table chi no inherit par
alter table chi alter x set default 4
alter table par alter x set default 4
alter table only par alter x set default 4
alter table chi alter x set not null
alter table par alter x set not null
alter table par add constraint c check (x > 0)
alter table par add constraint c check (x > 0) no inherit
alter table par add column h int
alter table chi add column h int; alter table par add column h int
alter table only par drop column x
alter table chi alter x set statistics 4
create table gran () inherits (chi)
create table chi2 (x int, y int); alter table chi2 inherit par
alter sequence q as smallint
alter sequence q increment 5
alter sequence q minvalue -4
alter sequence q start 5
alter sequence q cycle
alter sequence q cache 5
alter sequence q set unlogged
alter sequence q owned by t.a
alter sequence t_s_seq owned by none
alter sequence t_s_seq as bigint
alter sequence t_i_seq increment 4
alter sequence t_i_seq rename to other
alter sequence t_s_seq rename to other
alter sequence t_i_seq set unlogged
alter sequence t_s_seq set unlogged
grant usage on sequence q to app_reader
grant usage on sequence t_i_seq to app_reader
alter table t alter i set generated by default
alter table t alter i drop identity
alter table t alter i set start 100
alter table t alter i set cycle
alter table t alter g drop expression
alter table t alter g set statistics 5
alter function f(int) immutable
alter function f(int) strict
alter function f(int) security definer
alter function f(int) parallel safe
alter function f(int) cost 5
alter function f(int) set search_path = app
alter function f(int) set search_path = ''
create or replace function f(a int) returns int language sql as 'select a+1'
create function f(a text) returns int language sql as 'select 1'
create function f2(a int) returns setof int language sql rows 5 as 'select a'
create function f2(variadic a int[]) returns int language sql as 'select 1'
create function f2(out a int, inout b int) language sql as 'select 1, 2'
grant execute on function f(int) to app_reader
revoke execute on function f(int) from public
grant execute on procedure pr(int) to app_reader
alter procedure pr(int) security definer
revoke execute on function total(int) from public
alter function f(int) depends on extension citext
create aggregate total2 (int) (sfunc = int4pl, stype = int, parallel = safe)
alter table t disable trigger tg
alter table t enable always trigger tg
alter table t disable trigger user
alter trigger tg on t rename to tg2
alter trigger tg on t depends on extension citext
create trigger tg2 after update of a on t for each row when (new.a > 1) execute function tr('x', 'y')
create trigger tg2 after insert on t referencing new table as nt for each statement execute function tr()
create constraint trigger tg2 after insert on t deferrable initially deferred for each row execute function tr()
create or replace trigger tg after insert on t for each row execute function tr()
alter table u disable rule ru
alter table u enable replica rule ru
create rule rv as on insert to v do also notify x
create rule rv as on insert to v do instead insert into t (id, n) values (new.id, 1)
alter policy po on t using (a > 1)
alter policy po on t with check (a > 1)
alter policy po on t to app_reader
create policy po2 on t as restrictive for insert to public with check (true)
alter table t enable row level security
alter table t force row level security
alter publication pub set (publish = 'insert')
alter publication pub set (publish_via_partition_root)
alter publication pub set (publish_generated_columns = stored)
alter publication pub set table t (id, a), u
alter publication pub set table t where (id > 4), u
create publication pn
alter statistics st set statistics 5
alter statistics st rename to st2
create statistics st3 on (a + 1), (n * 2) from t
revoke insert on t from neondb_owner
revoke all on t from neondb_owner
revoke usage on schema public from public
revoke usage on type mood from public
revoke usage on domain short from public
revoke usage on language plpgsql from public
alter default privileges grant select on tables to app_reader
alter default privileges revoke execute on functions from public
alter default privileges grant execute on functions to app_reader
alter default privileges revoke usage on types from public
alter default privileges grant usage on schemas to app_reader
alter default privileges grant select on sequences to app_reader with grant option
alter default privileges revoke insert on tables from neondb_owner
alter default privileges grant select on large objects to app_reader
create extension pg_trgm
drop extension citext
alter extension citext add table par
alter text search configuration cfg drop mapping for word
alter text search configuration cfg alter mapping for word with english_stem
create operator !== (rightarg = int, function = int4up)
create cast (pair as text) with inout as assignment
create function pt(pair) returns int language sql as 'select 1'; create cast (pair as int) with function pt(pair) as implicit
create conversion odd for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8
alter table t replica identity full
alter table t set (toast.autovacuum_enabled = false)
alter table t alter a set statistics 7
alter table u alter constraint u_t deferrable
alter table u alter constraint u_t not enforced
alter index t_a set (fillfactor = 50)
alter index t_pkey set (fillfactor = 50)
create index ex on t ((a + 1)); alter index ex alter 1 set statistics 50
create index ex on t (a) include (b) where b is null
create type ty as (a text collate "C")
create type ra as range (subtype = float8, subtype_diff = float8mi)
create type ra as range (subtype = text, collation = "C")
alter domain short set default 'x'
alter domain short set not null
alter domain short add constraint d2 check (value <> '') not valid
create domain d2 as int constraint nn not null
alter type mood rename value 'low' to 'lower'
create table ov () with (fillfactor = 30)
create collation c2 (provider = builtin, locale = 'C.UTF-8')
create collation c2 (locale = 'C', deterministic = true)
alter index t_a rename to t_b
drop index t_a
