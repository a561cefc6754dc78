-- What was taken from everybody is given back, with more and less for others.

---- before
create schema s;
alter default privileges revoke execute on functions from public;
alter default privileges grant select on tables to app_reader with grant option;
alter default privileges revoke usage on types from public;
alter default privileges in schema s grant execute on functions to public;

---- after
create schema s;
alter default privileges grant select, update on tables to app_reader;
alter default privileges revoke usage on types from public;
alter default privileges grant usage on schemas to app_writer;
