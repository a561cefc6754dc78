-- A primary key, a unique constraint and a foreign key on a partitioned table with rows.

---- before
create table meter (id int primary key);
create table reading (id int not null, day date not null, meter_id int) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');

---- data
insert into meter values (1);
insert into reading values (1, '2026-05-05', 1);

---- after
create table meter (id int primary key);
create table reading (id int not null, day date not null, meter_id int references meter, primary key (id, day), unique (day, meter_id)) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
