-- Partitions of partitions.

---- before
create table reading (id int, kind text not null, day date not null) partition by list (kind);
create table reading_a partition of reading for values in ('a');

---- data
insert into reading values (1, 'a', '2026-01-01');

---- after
create table reading (id int, kind text not null, day date not null) partition by list (kind);
create table reading_a partition of reading for values in ('a');
create table reading_b partition of reading for values in ('b') partition by range (day);
create table reading_b_old partition of reading_b for values from (minvalue) to ('2026-01-01');
create table reading_b_new partition of reading_b for values from ('2026-01-01') to (maxvalue);
