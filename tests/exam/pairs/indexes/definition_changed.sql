-- The same name, another definition.

---- before
create table entry (id int primary key, a int, b int);
create index entry_ab on entry (a, b);

---- data
insert into entry values (1, 1, 1);

---- after
create table entry (id int primary key, a int, b int);
create index entry_ab on entry (b desc, a);
