-- USAGE and CREATE on a schema, USAGE on a sequence.

---- before
create schema s;
create sequence s.q;
grant usage on schema s to app_reader;

---- after
create schema s;
create sequence s.q;
grant usage, create on schema s to app_writer;
grant select, usage on sequence s.q to app_writer;
