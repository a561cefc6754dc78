-- When a foreign key is looked at.

---- before
create table a (id int primary key);
create table b (id int primary key, a_id int, c_id int);
alter table b add constraint b_a foreign key (a_id) references a;
alter table b add constraint b_c foreign key (c_id) references a deferrable initially deferred;

---- data
insert into a values (1);
insert into b values (1, 1, 1);

---- after
create table a (id int primary key);
create table b (id int primary key, a_id int, c_id int);
alter table b add constraint b_a foreign key (a_id) references a deferrable;
alter table b add constraint b_c foreign key (c_id) references a;
