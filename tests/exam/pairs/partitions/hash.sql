-- Hash partitions.

---- before

---- after
create table session (id uuid primary key, data jsonb) partition by hash (id);
create table session_0 partition of session for values with (modulus 2, remainder 0);
create table session_1 partition of session for values with (modulus 2, remainder 1);
