-- A table of its own first, with constraints of its own names, then attached; and its columns in another order.

---- before
create table reading (id int, day date not null, value int, constraint positive check (value > 0)) partition by range (day);
create table reading_2026 (id int, day date not null, value int, constraint positive check (value > 0));
alter table only reading attach partition reading_2026 for values from ('2026-01-01') to ('2027-01-01');

---- data
insert into reading values (1, '2026-05-05', 4);

---- after
create table reading (id int, day date not null, value int, constraint positive check (value > 0)) partition by range (day);
create table reading_2026 (id int, day date not null, value int, constraint positive check (value > 0));
alter table only reading attach partition reading_2026 for values from ('2026-01-01') to ('2027-01-01');
create table reading_2027 (value int default 3, day date not null, id int, constraint positive check (value > 0));
alter table only reading attach partition reading_2027 for values from ('2027-01-01') to ('2028-01-01');
