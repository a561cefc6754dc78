-- What has a name below another name.

---- before
create domain d as int constraint d_ok check (value > 0);
create table t (id int primary key);
alter table t enable row level security;
create policy p on t using (true);

---- after
create domain d as int constraint d_ok check (value > 0);
create table t (id int primary key);
alter table t enable row level security;
create policy p on t using (true);
comment on domain d is 'positive';
comment on constraint d_ok on domain d is 'really';
comment on policy p on t is 'everybody';
