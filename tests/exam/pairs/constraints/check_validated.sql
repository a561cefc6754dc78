-- What was NOT VALID is valid now.

---- before
create table item (id int primary key, a int);
alter table item add constraint a_ok check (a > 0) not valid;

---- data
insert into item values (1, 5);

---- after
create table item (id int primary key, a int, constraint a_ok check (a > 0));
