-- Two tables share a new sequence.

---- before
create table a (id int primary key);
create table b (id int primary key);

---- data
insert into a values (1);

---- after
create sequence shared;
create table a (id bigint primary key default nextval('shared'));
create table b (id bigint primary key default nextval('shared'));
