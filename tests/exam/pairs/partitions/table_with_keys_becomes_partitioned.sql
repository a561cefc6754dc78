-- With a key, numbers, an index, a foreign key to another table, grants and a view.

---- before
create table sensor (id int primary key);
create table reading (id serial, sensor int not null references sensor, day date not null, value int default 0, primary key (id, day));
create index reading_day on reading (day);
create view days as select day, count(*) as n from reading group by day;
grant select on reading to app_reader;

---- data
insert into sensor values (1);
insert into reading (sensor, day) values (1, '2026-05-05'), (1, '2026-06-06');

---- after
create table sensor (id int primary key);
create table reading (id serial, sensor int not null references sensor, day date not null, value int default 0, primary key (id, day)) partition by range (day);
create table reading_past partition of reading for values from (minvalue) to ('2027-01-01');
create table reading_2027 partition of reading for values from ('2027-01-01') to ('2028-01-01');
create index reading_day on reading (day);
create view days as select day, count(*) as n from reading group by day;
grant select on reading to app_reader;
