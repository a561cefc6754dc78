-- A statement trigger with both tables.

---- before
create table t (id int primary key);
create function note() returns trigger language plpgsql as $$ begin return null; end $$;

---- after
create table t (id int primary key);
create function note() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger note after update on t referencing old table as o new table as n for each statement execute function note();
