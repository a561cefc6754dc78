-- Autovacuum and fillfactor.

---- before
create table hot (id int primary key, n int) with (fillfactor = 90, autovacuum_enabled = false);
create index hot_n on hot (n);

---- data
insert into hot values (1, 1);

---- after
create table hot (id int primary key, n int) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
create index hot_n on hot (n) with (fillfactor = 60);
