-- A partition takes more values.

---- before
create table reading (id int, kind text not null) partition by list (kind);
create table reading_a partition of reading for values in ('a');

---- data
insert into reading values (1, 'a');

---- after
create table reading (id int, kind text not null) partition by list (kind);
create table reading_a partition of reading for values in ('a', 'b');
