-- The index that identifies rows for replication, defined anew.

---- before
create table entry (id int primary key, a int not null, b int not null);
create unique index entry_key on entry (a);
alter table entry replica identity using index entry_key;

---- data
insert into entry values (1, 1, 1);

---- after
create table entry (id int primary key, a int not null, b int not null);
create unique index entry_key on entry (a, b);
alter table entry replica identity using index entry_key;
alter table entry cluster on entry_key;
comment on index entry_key is 'whom a row is';
