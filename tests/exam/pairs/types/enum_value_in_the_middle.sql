-- Values before and between the others.

---- before
create type level as enum ('low', 'high');
create table alarm (id int primary key, level level);

---- data
insert into alarm values (1, 'low'), (2, 'high');

---- after
create type level as enum ('none', 'low', 'middle', 'high');
create table alarm (id int primary key, level level);
