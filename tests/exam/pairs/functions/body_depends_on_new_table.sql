-- Bodies that Postgres parses when they are made need what they speak of.

---- before
create table t (id int primary key);
create function count_t() returns bigint language sql begin atomic select count(*) from t; end;

---- data
insert into t values (1);

---- after
create table t (id int primary key, kind text default 'x');
create table u (id int primary key);
create function count_t() returns bigint language sql begin atomic select count(*) from t where kind = 'x'; end;
create function count_all() returns bigint language sql begin atomic select count_t() + (select count(*) from u); end;
create view counted as select count_all() as n;
