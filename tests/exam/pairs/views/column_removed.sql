-- CREATE OR REPLACE cannot do it.

---- before
create table t (id int primary key, a int);
create view v as select id, a from t;
grant select on v to app_reader;
comment on view v is 'kept';

---- after
create table t (id int primary key, a int);
create view v as select id from t;
grant select on v to app_reader;
comment on view v is 'kept';
