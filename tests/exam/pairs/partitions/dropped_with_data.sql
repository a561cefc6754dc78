-- A partition and its rows go.

---- before
create table reading (id int, kind text not null) partition by list (kind);
create table reading_a partition of reading for values in ('a');
create table reading_b partition of reading for values in ('b');

---- data
insert into reading values (1, 'a'), (2, 'b');

---- after
create table reading (id int, kind text not null) partition by list (kind);
create table reading_b partition of reading for values in ('b');
