-- Detached here, attached there; with a year that comes and one that goes.

---- before
create table reading (id int, day date not null) partition by range (day);
create table reading_2025 partition of reading for values from ('2025-01-01') to ('2026-01-01');
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table archive (id int, day date not null) partition by range (day);

---- data
insert into reading values (1, '2026-05-05'), (2, '2025-05-05');

---- after
create table reading (id int, day date not null) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table reading_2027 partition of reading for values from ('2027-01-01') to ('2028-01-01');
create table archive (id int, day date not null) partition by range (day);
create table reading_2025 partition of archive for values from ('2025-01-01') to ('2026-01-01');
