-- Keys from and to a partitioned table that has rows.

---- before
create table sensor (id int primary key);
create table reading (id int not null, day date not null, sensor int) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table remark (id int primary key, reading int, day date);

---- data
insert into sensor values (1);
insert into reading values (1, '2026-05-05', 1);
insert into remark values (1, 1, '2026-05-05');

---- after
create table sensor (id int primary key);
create table reading (id int not null, day date not null, sensor int references sensor, unique (id, day)) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table remark (id int primary key, reading int, day date, foreign key (reading, day) references reading (id, day));
