-- One statement for all of them.
-- options: --rename public.reading.value=public.reading.amount

---- before
create table reading (id int, day date not null, value int) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table reading_rest partition of reading default;

---- data
insert into reading values (1, '2026-05-05', 10), (2, '2020-01-01', 20);

---- after
create table reading (id int, day date not null, amount int) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table reading_rest partition of reading default;
