-- An index on a partitioned table with rows.

---- before
create table reading (id int, day date not null) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');

---- data
insert into reading values (1, '2026-05-05');

---- after
create table reading (id int, day date not null) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create index reading_day on reading (day);
