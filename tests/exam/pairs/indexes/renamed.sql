-- The same definition, another name.

---- before
create table entry (id int primary key, a int);
create index entry_a on entry (a);

---- data
insert into entry values (1, 1);

---- after
create table entry (id int primary key, a int);
create index entry_by_a on entry (a);
