-- What hangs on a type.

---- before
create type state as enum ('new');

---- after
create type state as enum ('new');
comment on type state is 'of a job';
revoke usage on type state from public;
grant usage on type state to app_reader;
