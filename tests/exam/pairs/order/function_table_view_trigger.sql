-- Everything needs something that comes later by its kind.

---- before

---- after
create type state as enum ('new', 'done');
create domain title as text check (length(value) < 100);
create function first_state() returns state language sql immutable return 'new'::state;
create table job (id int generated always as identity primary key, title title not null, state state not null default first_state());
create function is_done(j job) returns boolean language sql stable return j.state = 'done';
create view done as select job.* from job where is_done(job);
create function done_count() returns bigint language sql stable begin atomic select count(*) from done; end;
create table report (id int primary key, jobs bigint default done_count());
create materialized view totals as select state, count(*) as n from job group by state;
