-- needs: citext
-- A function and a trigger go when the extension goes.

---- before
create extension citext;
create table t (id int primary key, name citext);
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create function shout(name text) returns text language sql as 'select upper(name)';
create trigger touch before update on t for each row execute function touch();

---- after
create extension citext;
create table t (id int primary key, name citext);
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create function shout(name text) returns text language sql as 'select upper(name)';
create trigger touch before update on t for each row execute function touch();
alter function shout(text) depends on extension citext;
alter trigger touch on t depends on extension citext;
