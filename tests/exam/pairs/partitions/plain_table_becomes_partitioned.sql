-- No ALTER does that: refused, or done with every row kept.

---- before
create table reading (id int, day date not null);

---- data
insert into reading values (1, '2026-05-05');

---- after
create table reading (id int, day date not null) partition by range (day);
create table reading_all partition of reading default;
