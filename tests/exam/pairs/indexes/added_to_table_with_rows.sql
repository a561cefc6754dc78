-- A plain index, built beside the traffic.

---- before
create table entry (id int primary key, day date, amount int);

---- data
insert into entry select n, date '2026-01-01' + n, n from generate_series(1, 200) n;

---- after
create table entry (id int primary key, day date, amount int);
create index entry_day on entry (day);
