-- CLUSTER ON is kept in the catalogue.

---- before
create table a (id int primary key, n int);
create index a_n on a (n);

---- after
create table a (id int primary key, n int);
create index a_n on a (n);
alter table a cluster on a_n;
