-- Three checks, three changes.

---- before
create table item (id int primary key, a int, b int, constraint a_ok check (a > 0), constraint b_ok check (b > 0));

---- data
insert into item values (1, 5, 5);

---- after
create table item (id int primary key, a int, b int, constraint b_ok check (b > 1), constraint ab_ok check (a + b < 100));
