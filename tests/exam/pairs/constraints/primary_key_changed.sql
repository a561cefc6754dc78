-- The key has other columns.

---- before
create table member (team int not null, person int not null, primary key (team));

---- data
insert into member values (1, 1), (2, 1);

---- after
create table member (team int not null, person int not null, primary key (team, person));
