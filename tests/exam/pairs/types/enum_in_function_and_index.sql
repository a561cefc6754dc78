-- The enum is in a function's signature and in the condition of an index.

---- before
create type state as enum ('new', 'done');
create table job (id int primary key, state state not null);
create index job_new on job (id) where state = 'new';
create function is_open(s state) returns boolean language sql immutable return s = 'new';
create view open_job as select id from job where is_open(state);

---- data
insert into job values (1, 'new');

---- after
create type state as enum ('new', 'running', 'done');
create table job (id int primary key, state state not null);
create index job_new on job (id) where state = 'new';
create function is_open(s state) returns boolean language sql immutable return s = 'new';
create view open_job as select id from job where is_open(state);
