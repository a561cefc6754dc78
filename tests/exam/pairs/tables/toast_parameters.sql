-- Storage parameters of the table behind a table.

---- before
create table doc (id int primary key, body text) with (toast.autovacuum_enabled = off, fillfactor = 90);

---- after
create table doc (id int primary key, body text) with (toast.vacuum_truncate = off, toast.autovacuum_vacuum_threshold = 10);
