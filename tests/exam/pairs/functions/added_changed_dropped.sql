-- Three functions, three changes.

---- before
create function changed(a int) returns int language sql as 'select a + 1';
create function gone() returns int language sql as 'select 1';

---- after
create function changed(a int) returns int language sql as 'select a + 2';
create function fresh(a int, b text default 'x', variadic c int[] default '{}') returns text language plpgsql as $$ begin return b; end $$;
