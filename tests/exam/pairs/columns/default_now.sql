-- A stable default.

---- before
create table ticket (id int primary key);

---- data
insert into ticket values (1), (2), (3);

---- after
create table ticket (id int primary key, created_at timestamptz not null default now());
