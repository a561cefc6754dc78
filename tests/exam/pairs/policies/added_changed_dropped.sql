-- Three policies, three changes.

---- before
create table note (id int primary key, owner text);
alter table note enable row level security;
create policy changed on note for select using (true);
create policy gone on note for delete using (false);

---- after
create table note (id int primary key, owner text);
alter table note enable row level security;
create policy changed on note for select to app_reader using (owner = current_user);
create policy fresh on note as restrictive for insert to app_writer, app_reader with check (owner is not null);
