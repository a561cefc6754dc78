-- A new aggregate and one with another start.

---- before
create aggregate total(int) (sfunc = int4pl, stype = int, initcond = '0');

---- after
create aggregate total(int) (sfunc = int4pl, stype = int, initcond = '10');
create function largest(a int, b int) returns int language sql immutable as 'select greatest(a, b)';
create aggregate top(int) (sfunc = largest, stype = int, parallel = safe);
