-- A chat. The step: reactions, read marks, an edited message's history by trigger.

---- before
create table account (id bigserial primary key, name text not null unique);
create table channel (id bigserial primary key, name text not null);
create table message (id bigserial primary key, channel_id bigint not null references channel, author_id bigint references account on delete set null, body text not null, sent_at timestamptz not null default now());
create index message_channel on message (channel_id, sent_at);

---- data
insert into account (name) select 'a' || n from generate_series(1, 10) n;
insert into channel (name) values ('general');
insert into message (channel_id, author_id, body) select 1, 1 + n % 10, 'hello ' || n from generate_series(1, 100) n;

---- after
create table account (id bigserial primary key, name text not null unique, settings jsonb not null default '{}'::jsonb);
create table channel (id bigserial primary key, name text not null, topic text, owner_id bigint references account);
create table message (id bigserial primary key, channel_id bigint not null references channel, author_id bigint references account on delete set null, body text not null, sent_at timestamptz not null default now(), edited_at timestamptz, reply_to bigint references message on delete cascade);
create index message_channel on message (channel_id, sent_at) include (author_id);
create table reaction (message_id bigint not null references message on delete cascade, account_id bigint not null references account, emoji varchar(16) not null, primary key (message_id, account_id, emoji));
create table read_mark (channel_id bigint references channel, account_id bigint references account, message_id bigint references message, primary key (channel_id, account_id)) with (fillfactor = 80);
create table message_history (message_id bigint not null references message on delete cascade, body text, at timestamptz default now());
create function keep_history() returns trigger language plpgsql as $$
begin
    insert into message_history (message_id, body) values (old.id, old.body);
    new.edited_at = now();
    return new;
end $$;
create trigger keep_history before update of body on message for each row when (old.body is distinct from new.body) execute function keep_history();
