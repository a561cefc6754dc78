-- Of tables, of columns, of rows.

---- before
create table a (id int primary key, x int, secret text);
create table b (id int primary key);

---- after
create table a (id int primary key, x int, secret text);
create table b (id int primary key);
create publication feed for table a (id, x) where (x > 0), table b with (publish = 'insert, update');
