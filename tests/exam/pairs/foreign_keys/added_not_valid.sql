-- It stays NOT VALID, as an orphan exists.

---- before
create table a (id int primary key);
create table b (id int primary key, a_id int);

---- data
insert into b values (1, 99);

---- after
create table a (id int primary key);
create table b (id int primary key, a_id int);
alter table b add constraint b_a foreign key (a_id) references a not valid;
