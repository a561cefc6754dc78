-- A job queue. The step: priorities, dead letters, a function that takes the next job.

---- before
create type job_state as enum ('waiting', 'running', 'done');
create table job (id bigserial primary key, queue text not null default 'default', payload jsonb not null, state job_state not null default 'waiting', run_at timestamptz not null default now());
create index job_next on job (queue, run_at) where state = 'waiting';
create function next_job(q text) returns job language sql as $$
    update job set state = 'running' where id = (
        select id from job where queue = q and state = 'waiting' order by run_at for update skip locked limit 1) returning * $$;

---- data
insert into job (payload) select jsonb_build_object('n', n) from generate_series(1, 100) n;

---- after
create type job_state as enum ('waiting', 'running', 'done', 'failed', 'dead');
create table job (id bigserial primary key, queue text not null default 'default', payload jsonb not null, state job_state not null default 'waiting', run_at timestamptz not null default now(), priority smallint not null default 0, attempts int not null default 0, last_error text);
create index job_next on job (queue, priority desc, run_at) where state in ('waiting', 'failed');
create table dead_job (like job including all);
create function next_job(q text) returns job language sql as $$
    update job set state = 'running', attempts = attempts + 1 where id = (
        select id from job where queue = q and state in ('waiting', 'failed') order by priority desc, run_at for update skip locked limit 1) returning * $$;
create view queue_length as select queue, state, count(*) from job group by queue, state;
