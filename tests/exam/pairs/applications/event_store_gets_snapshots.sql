-- An event store. The step: snapshots, a version check, a trigger that notifies.

---- before
create table stream (id uuid primary key, kind text not null);
create table event (
    position bigint generated always as identity primary key,
    stream_id uuid not null references stream,
    version int not null,
    kind text not null,
    data json not null,
    unique (stream_id, version)
);

---- data
insert into stream select gen_random_uuid(), 'account' from generate_series(1, 10);
insert into event (stream_id, version, kind, data) select id, v, 'paid', '{"n": 1}' from stream, generate_series(1, 5) v;

---- after
create table stream (id uuid primary key, kind text not null, version int not null default 0 check (version >= 0));
create table event (
    position bigint generated always as identity primary key,
    stream_id uuid not null references stream,
    version int not null,
    kind text not null,
    data jsonb not null,
    meta jsonb not null default '{}',
    at timestamptz not null default clock_timestamp(),
    unique (stream_id, version)
);
create index event_kind on event using gin (data jsonb_path_ops);
create table snapshot (stream_id uuid primary key references stream, version int not null, state jsonb not null);
create function announce() returns trigger language plpgsql as $$
begin
    perform pg_notify('events', new.position::text);
    return null;
end $$;
create trigger announce after insert on event for each row execute function announce();
create rule event_is_kept as on delete to event do instead nothing;
