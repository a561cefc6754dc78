-- A table that stands alone becomes a partition.

---- before
create table reading (id int, day date not null) partition by range (day);
create table reading_2026 (id int, day date not null);

---- data
insert into reading_2026 values (1, '2026-05-05');

---- after
create table reading (id int, day date not null) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
