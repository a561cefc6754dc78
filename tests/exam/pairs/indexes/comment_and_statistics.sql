-- What hangs on an index.

---- before
create table entry (id int primary key, a int);
create index entry_a on entry ((a + 1));

---- after
create table entry (id int primary key, a int);
create index entry_a on entry ((a + 1));
comment on index entry_a is 'for the report';
alter index entry_a alter column 1 set statistics 100;
