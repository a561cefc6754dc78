-- A value that a row uses: there is nothing to turn it into.
-- expect: refusal

---- before
create type level as enum ('low', 'middle', 'high');
create table alarm (id int primary key, level level not null);

---- data
insert into alarm values (1, 'middle');

---- after
create type level as enum ('low', 'high');
create table alarm (id int primary key, level level not null);
