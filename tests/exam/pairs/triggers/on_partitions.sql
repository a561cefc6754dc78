-- Of the partitioned table, of one partition, and switched off for one.

---- before
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create table reading (id int, day date not null) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table reading_2027 partition of reading for values from ('2027-01-01') to ('2028-01-01');
create trigger old_touch after insert on reading for each row execute function touch();

---- data
insert into reading values (1, '2026-05-05');

---- after
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create table reading (id int, day date not null) partition by range (day);
create table reading_2026 partition of reading for values from ('2026-01-01') to ('2027-01-01');
create table reading_2027 partition of reading for values from ('2027-01-01') to ('2028-01-01');
create trigger new_touch after insert or update on reading for each row execute function touch();
create trigger own after insert on reading_2026 for each row execute function touch();
alter table reading_2027 disable trigger new_touch;
comment on trigger new_touch on reading is 'all';
