-- Several roles, restrictive ones, and a policy of one partition.

---- before
create table reading (id int, owner text, day date not null) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
alter table reading enable row level security;
create policy own on reading using (owner = current_user);

---- data
insert into reading values (1, 'x', '2026-05-05');

---- after
create table reading (id int, owner text, day date not null) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
alter table reading enable row level security;
alter table reading_2026 enable row level security;
create policy own on reading to app_writer, app_reader using (owner = current_user) with check (true);
create policy "Only Today" on reading_2026 as restrictive for insert to app_writer with check (day = current_date);
comment on policy own on reading is 'mine';
