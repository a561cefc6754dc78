-- A check that is only written down.
-- needs: 18

---- before
create table item (id int primary key, a int);

---- data
insert into item values (1, -1);

---- after
create table item (id int primary key, a int, constraint a_ok check (a > 0) not enforced);
