-- A default partition.

---- before
create table reading (id int, kind text not null) partition by list (kind);
create table reading_a partition of reading for values in ('a');

---- data
insert into reading values (1, 'a');

---- after
create table reading (id int, kind text not null) partition by list (kind);
create table reading_a partition of reading for values in ('a');
create table reading_other partition of reading default;
