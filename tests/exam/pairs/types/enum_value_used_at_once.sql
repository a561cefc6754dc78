-- The new value is the default in the same step.

---- before
create type level as enum ('low', 'high');
create table alarm (id int primary key, level level not null default 'low');

---- data
insert into alarm (id) values (1);

---- after
create type level as enum ('low', 'high', 'unknown');
create table alarm (id int primary key, level level not null default 'unknown');
create index alarm_unknown on alarm (id) where level = 'unknown';
