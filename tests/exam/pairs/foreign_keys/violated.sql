-- An orphan exists: this cannot work, and has to be said.
-- expect: refusal

---- before
create table a (id int primary key);
create table b (id int primary key, a_id int);

---- data
insert into b values (1, 99);

---- after
create table a (id int primary key);
create table b (id int primary key, a_id int references a);
