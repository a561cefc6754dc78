-- A schema of nothing else.

---- before
create function one() returns int language sql as 'select 1';

---- after
create function two() returns int language sql return 2;
create function four() returns int language sql begin atomic select two() + two(); end;
create aggregate total (int) (sfunc = int4pl, stype = int, initcond = '0', parallel = safe);
