-- A table joins, one leaves, another setting.

---- before
create table a (id int primary key);
create table b (id int primary key);
create publication feed for table a;

---- after
create table a (id int primary key);
create table b (id int primary key);
create publication feed for table b with (publish_via_partition_root = true);
