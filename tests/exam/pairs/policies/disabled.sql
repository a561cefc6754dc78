-- Row level security off, not forced any more.

---- before
create table note (id int primary key);
alter table note enable row level security;
alter table note force row level security;

---- after
create table note (id int primary key);
