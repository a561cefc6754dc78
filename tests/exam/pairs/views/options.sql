-- security_invoker, security_barrier, check option.

---- before
create table t (id int primary key, a int);
create view v as select id, a from t where a > 0;
create view w with (security_barrier) as select id from t;

---- after
create table t (id int primary key, a int);
create view v with (security_invoker) as select id, a from t where a > 0 with cascaded check option;
create view w as select id from t;
