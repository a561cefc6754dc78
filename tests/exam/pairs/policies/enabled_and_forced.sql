-- Row level security on, and for the owner as well.

---- before
create table note (id int primary key, owner text);

---- data
insert into note values (1, 'ada');

---- after
create table note (id int primary key, owner text);
alter table note enable row level security;
alter table note force row level security;
create policy own on note using (owner = current_user);
