-- Volatility, cost, parallel, leakproof's absence, security, settings.

---- before
create function f(a int) returns int language sql as 'select a';
create function g() returns setof int language sql as 'select 1';

---- after
create function f(a int) returns int language sql immutable strict parallel safe security definer cost 7 set search_path = pg_catalog set work_mem = '8MB' as 'select a';
create function g() returns setof int language sql stable rows 3 as 'select 1';
