-- Below the index of a partitioned table, indexes with names and options of their own.

---- before
create table reading (id int, day date not null, primary key (id, day)) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table reading_2027 partition of reading for values from ('2027-01-01') to ('2028-01-01');
create index by_2026 on reading_2026 (day);
create index reading_day on reading (day);

---- data
insert into reading values (1, '2026-05-05');

---- after
create table reading (id int, day date not null, primary key (id, day)) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table reading_2027 partition of reading for values from ('2027-01-01') to ('2028-01-01');
create index reading_day on reading (day);
alter index reading_2027_day_idx rename to by_2027;
alter index reading_2026_pkey set (fillfactor = 60);
