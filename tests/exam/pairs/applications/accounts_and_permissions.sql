-- Users, roles and permissions. The step: citext addresses, sessions, an audit table by partition.

---- before
create table account (id uuid primary key default gen_random_uuid(), email text not null, password_hash text, created_at timestamptz default now());
create unique index account_email on account (lower(email));
create table role (name text primary key);
create table account_role (account_id uuid references account on delete cascade, role text references role, primary key (account_id, role));

---- data
insert into account (email) select 'a' || n || '@example.com' from generate_series(1, 20) n;
insert into role values ('admin'), ('editor');
insert into account_role select id, 'editor' from account;

---- after
create extension citext;
create table account (id uuid primary key default gen_random_uuid(), email citext not null unique, password_hash text, created_at timestamptz not null default now(), locked_at timestamptz);
create table role (name text primary key, description text);
create table account_role (account_id uuid references account on delete cascade, role text references role, granted_by uuid references account, primary key (account_id, role));
create table session (token bytea primary key, account_id uuid not null references account on delete cascade, expires_at timestamptz not null default now() + interval '30 days');
create index session_expiry on session (expires_at);
create table audit (at timestamptz not null, account_id uuid, action text not null) partition by range (at);
create table audit_default partition of audit default;
alter table account enable row level security;
create policy self on account using (id::text = current_setting('app.account', true));
revoke all on account from public;
grant select (id, email, created_at) on account to app_reader;
