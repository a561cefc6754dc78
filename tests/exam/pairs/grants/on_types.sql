-- Given, and what everybody has taken away, and given back.

---- before
create type mood as enum ('low', 'high');
create domain short as text check (length(value) < 9);
create type pair as (a int, b int);
revoke usage on type pair from public;
grant usage on domain short to app_reader;

---- after
create type mood as enum ('low', 'high');
create domain short as text check (length(value) < 9);
create type pair as (a int, b int);
revoke usage on type mood from public;
grant usage on type mood to app_writer with grant option;
