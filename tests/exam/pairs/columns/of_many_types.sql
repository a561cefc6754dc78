-- Types with every kind of modifier.

---- before
create table a (x int);
---- after
create table a (x int, b bit(3), c varbit(7), d "char", e char(4), f interval day to second(3), g timestamp(2) with time zone, h time(1), i numeric(8,-2), j int[][], k name, l xml, m tsvector, n int4range, o int4multirange, p inet, q pg_lsn, r money, s oid, t regclass, u jsonpath);
