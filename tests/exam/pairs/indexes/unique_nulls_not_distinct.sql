-- A unique index that allows a single null.

---- before
create table entry (id int primary key, a int);
create unique index entry_a on entry (a);

---- data
insert into entry values (1, 1), (2, null);

---- after
create table entry (id int primary key, a int);
create unique index entry_a on entry (a) nulls not distinct;
