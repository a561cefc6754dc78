-- When a constraint is checked.

---- before
create table a (id int primary key, code int, constraint a_code unique (code));
create table b (id int primary key, a_id int constraint b_a references a);

---- data
insert into a values (1, 1);
insert into b values (1, 1);

---- after
create table a (id int primary key, code int, constraint a_code unique (code) deferrable initially deferred);
create table b (id int primary key, a_id int constraint b_a references a deferrable initially immediate);
