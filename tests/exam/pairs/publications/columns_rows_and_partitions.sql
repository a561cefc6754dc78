-- needs: 15
-- Some columns and rows of some tables, by way of the root.

---- before
create table t (id int primary key, a int, secret text);
create table reading (id int, day date not null, primary key (id, day)) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create publication p for table t;

---- after
create table t (id int primary key, a int, secret text);
create table reading (id int, day date not null, primary key (id, day)) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create publication p for table t (id, a) where (id > 5), reading with (publish = 'insert', publish_via_partition_root);
comment on publication p is 'some';
