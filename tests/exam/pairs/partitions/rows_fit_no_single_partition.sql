-- expect: refusal
-- No ALTER does that, and the rows belong into two partitions: refused by name.

---- before
create table reading (id int, day date not null);

---- data
insert into reading values (1, '2026-05-05'), (2, '2027-05-05');

---- after
create table reading (id int, day date not null) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table reading_2027 partition of reading for values from ('2027-01-01') to ('2028-01-01');
