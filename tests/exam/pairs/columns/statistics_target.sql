-- How much ANALYZE looks at.

---- before
create table doc (id int primary key, kind text);

---- after
create table doc (id int primary key, kind text);
alter table doc alter kind set statistics 500;
alter table doc alter kind set (n_distinct = -0.5);
