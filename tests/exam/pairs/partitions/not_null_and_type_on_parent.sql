-- Columns of all partitions, and one partition that is stricter.

---- before
create table reading (id int, day date not null, value int, note text) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table reading_2027 partition of reading for values from ('2027-01-01') to ('2028-01-01');

---- data
insert into reading values (1, '2026-05-05', 10, 'x'), (2, '2027-01-01', 20, 'y');

---- after
create table reading (id int not null, day date not null, value bigint default 5, note text, extra text) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table reading_2027 partition of reading for values from ('2027-01-01') to ('2028-01-01');
alter table reading_2026 alter note set not null;
alter table reading_2027 alter value set default 9;
