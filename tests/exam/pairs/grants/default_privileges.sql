-- What objects get that are made later.

---- before
create schema s;
alter default privileges in schema s grant select on tables to app_reader;

---- after
create schema s;
alter default privileges in schema s grant select, insert on tables to app_writer;
alter default privileges in schema s grant usage on sequences to app_writer;
alter default privileges revoke execute on functions from public;
