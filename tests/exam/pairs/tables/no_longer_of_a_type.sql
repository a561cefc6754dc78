-- A typed table becomes an ordinary one, another becomes typed.

---- before
create type pair as (a int, b text);
create table one of pair;
create table other (a int, b text);

---- data
insert into one values (1, 'x');
insert into other values (2, 'y');

---- after
create type pair as (a int, b text);
create table one (a int, b text);
create table other of pair;
