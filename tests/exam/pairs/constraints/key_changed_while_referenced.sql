-- A key that another table refers to gets one more column beside it.

---- before
create table team (id int, code text, constraint team_key unique (id));
create table player (id int primary key, team_id int references team (id));

---- data
insert into team values (1, 'a'), (2, 'b');
insert into player values (1, 1), (2, 2);

---- after
create table team (id int, code text, constraint team_key primary key (id) include (code));
create table player (id int primary key, team_id int references team (id));
