-- A partitioned table with its partitions, an index and a key.

---- before
create table customer (id int primary key);

---- after
create table customer (id int primary key);
create table reading (id int, day date not null, customer_id int references customer, primary key (id, day)) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table reading_rest partition of reading default;
create index reading_day on reading (day);
