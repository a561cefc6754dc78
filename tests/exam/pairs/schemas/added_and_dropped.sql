-- A schema comes, a schema goes.

---- before
create schema old;
create table old.t (id int primary key);

---- after
create schema fresh;
create table fresh.t (id int primary key);
create view fresh.v as select id from fresh.t;
