-- Two new tables that refer to each other.

---- before

---- after
create table team (id int primary key, leader_id int);
create table person (id int primary key, team_id int not null references team);
alter table team add constraint team_leader foreign key (leader_id) references person;
