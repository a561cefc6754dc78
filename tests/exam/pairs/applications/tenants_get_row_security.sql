-- Many tenants in one table set. The step: row level security for all of them.

---- before
create table tenant (id uuid primary key, name text not null);
create table project (id uuid primary key, tenant_id uuid not null references tenant, name text not null);
create table task (id uuid primary key, tenant_id uuid not null, project_id uuid not null references project, title text not null, done boolean not null default false);

---- data
insert into tenant select gen_random_uuid(), 'T' || n from generate_series(1, 5) n;
insert into project select gen_random_uuid(), id, 'P' from tenant;
insert into task select gen_random_uuid(), tenant_id, id, 'do it' from project;

---- after
create schema auth;
create function auth.tenant() returns uuid language sql stable as $$ select nullif(current_setting('app.tenant', true), '')::uuid $$;
revoke execute on function auth.tenant() from public;
grant execute on function auth.tenant() to app_writer;
grant usage on schema auth to app_writer;
create table tenant (id uuid primary key, name text not null);
create table project (id uuid primary key, tenant_id uuid not null default auth.tenant() references tenant, name text not null, unique (tenant_id, id));
create table task (
    id uuid primary key,
    tenant_id uuid not null default auth.tenant(),
    project_id uuid not null,
    title text not null,
    done boolean not null default false,
    constraint task_project foreign key (tenant_id, project_id) references project (tenant_id, id) on delete cascade
);
create index task_project on task (tenant_id, project_id) where not done;
alter table tenant enable row level security;
alter table project enable row level security;
alter table project force row level security;
alter table task enable row level security;
alter table task force row level security;
create policy own on tenant for select to app_writer using (id = auth.tenant());
create policy own on project to app_writer using (tenant_id = auth.tenant()) with check (tenant_id = auth.tenant());
create policy own on task to app_writer using (tenant_id = auth.tenant()) with check (tenant_id = auth.tenant());
grant select on tenant to app_writer;
grant select, insert, update, delete on project, task to app_writer;
