-- Three triggers, three changes.

---- before
create table t (id int primary key, a int, changed_at timestamptz);
create function touch() returns trigger language plpgsql as $$ begin new.changed_at = now(); return new; end $$;
create trigger changed before update on t for each row execute function touch();
create trigger gone before insert on t for each row execute function touch();

---- data
insert into t values (1, 1, '2026-01-01');

---- after
create table t (id int primary key, a int, changed_at timestamptz);
create function touch() returns trigger language plpgsql as $$ begin new.changed_at = now(); return new; end $$;
create trigger changed before update of a on t for each row when (old.a is distinct from new.a) execute function touch();
create trigger fresh after insert or delete on t for each statement execute function touch();
