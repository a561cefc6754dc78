-- The view changes below its default, trigger, rule, grants and comment.

---- before
create table t (id int primary key, a int, b int);
create function put() returns trigger language plpgsql as $$ begin insert into t values (new.id, new.a); return new; end $$;
create view v as select id, a from t;
alter view v alter a set default 5;
create trigger put instead of insert on v for each row execute function put();
create rule gone as on delete to v do instead nothing;
grant select (id) on v to app_reader;
comment on column v.a is 'a';

---- after
create table t (id bigint primary key, a int, b int);
create function put() returns trigger language plpgsql as $$ begin insert into t values (new.id, new.a); return new; end $$;
create view v as select id, b, a from t;
alter view v alter a set default 6;
create trigger put instead of insert on v for each row execute function put();
create rule gone as on delete to v do instead nothing;
grant select (id) on v to app_reader;
comment on column v.a is 'a';
