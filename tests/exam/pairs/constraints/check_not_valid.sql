-- A check for new rows only stays NOT VALID.

---- before
create table item (id int primary key, a int);

---- data
insert into item values (1, -5);

---- after
create table item (id int primary key, a int);
alter table item add constraint a_ok check (a > 0) not valid;
