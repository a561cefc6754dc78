-- The policy needs a function that reads a table that is new.

---- before
create table doc (id int primary key, team int);

---- data
insert into doc values (1, 1);

---- after
create table doc (id int primary key, team int);
create table member (team int, name text);
create function my_teams() returns setof int language sql stable security definer as 'select team from member where name = current_user';
alter table doc enable row level security;
create policy team on doc using (team in (select my_teams()));
