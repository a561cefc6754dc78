-- A view reads the column whose type changes.

---- before
create table reading (id int primary key, value int);
create view big_reading as select id, value from reading where value > 100;

---- data
insert into reading values (1, 420);

---- after
create table reading (id int primary key, value bigint);
create view big_reading as select id, value from reading where value > 100;
