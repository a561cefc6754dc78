-- A foreign key that is only written down.
-- needs: 18

---- before
create table a (id int primary key);
create table b (id int primary key, a_id int);

---- data
insert into b values (1, 99);

---- after
create table a (id int primary key);
create table b (id int primary key, a_id int constraint b_a references a not enforced);
