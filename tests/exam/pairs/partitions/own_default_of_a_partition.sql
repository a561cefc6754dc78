-- A partition has a default of its own.

---- before
create table reading (id int, kind text not null) partition by list (kind);
create table reading_a partition of reading for values in ('a');

---- after
create table reading (id int, kind text not null) partition by list (kind);
create table reading_a partition of reading (kind default 'a') for values in ('a');
