-- A view that can be written to.

---- before
create table t (id int primary key, a int);
create view v as select id, a from t;

---- after
create table t (id int primary key, a int);
create view v as select id, a from t;
alter view v alter a set default 5;
create function put() returns trigger language plpgsql as $$ begin insert into t values (new.id, new.a); return new; end $$;
create trigger put instead of insert on v for each row execute function put();
