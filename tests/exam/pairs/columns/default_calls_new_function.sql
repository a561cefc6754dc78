-- The function does not exist yet when the column would be added.

---- before
create table ticket (id int primary key);

---- data
insert into ticket values (1);

---- after
create function new_code() returns text language sql immutable return 'T-0';
create table ticket (id int primary key, code text not null default new_code());
