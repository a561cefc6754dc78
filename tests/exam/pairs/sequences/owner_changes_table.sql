-- Two tables share the numbers, then one of them has them alone.

---- before
create sequence numbers;
create table a (id int primary key default nextval('numbers'));
create table b (id int primary key default nextval('numbers'));

---- data
insert into a default values;
insert into b default values;

---- after
create sequence numbers;
create table a (id int primary key default nextval('numbers'));
create table b (id int generated always as identity primary key);
alter sequence numbers owned by a.id;
