-- The type of a column that has a default, an index and a check.

---- before
create table reading (id int primary key, level int not null default 1 check (level > 0));
create index reading_level on reading (level);

---- data
insert into reading (id) values (1), (2);

---- after
create table reading (id int primary key, level numeric not null default 1 check (level > 0));
create index reading_level on reading (level);
