-- A constraint trigger, deferred, with arguments and a comment.

---- before
create table t (id int primary key);

---- after
create table t (id int primary key);
create function f() returns trigger language plpgsql as $$ begin return null; end $$;
create constraint trigger late after insert on t deferrable initially deferred for each row execute function f('a', 'it''s');
comment on trigger late on t is 'at commit';
