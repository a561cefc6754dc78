-- The publication goes.

---- before
create table a (id int primary key);
create publication feed for table a;

---- after
create table a (id int primary key);
