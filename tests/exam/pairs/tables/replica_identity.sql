-- What logical replication sends of old rows.

---- before
create table a (id int primary key, code int not null);
create unique index a_code on a (code);
create table b (id int primary key);

---- data
insert into a values (1, 1);

---- after
create table a (id int primary key, code int not null);
create unique index a_code on a (code);
alter table a replica identity using index a_code;
create table b (id int primary key);
alter table b replica identity full;
