-- RETURNS TABLE, OUT and INOUT.

---- before
create function pair() returns table (a int, b text) language sql as $$ select 1, 'x' $$;

---- after
create function pair() returns table (a int, b text, c date) language sql as $$ select 1, 'x', current_date $$;
create function split(inout a int, out b int) language sql as 'select a / 2, a % 2';
