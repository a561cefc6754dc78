-- The same constraint under another name.

---- before
create table a (id int constraint a_id primary key, n int constraint n1 check (n > 0));

---- data
insert into a values (1, 1);

---- after
create table a (id int constraint a_pk primary key, n int constraint n_positive check (n > 0));
