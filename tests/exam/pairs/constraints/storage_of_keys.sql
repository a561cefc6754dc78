-- Storage parameters of the index behind a key.

---- before
create table entry (id int primary key, a int unique with (fillfactor = 80));

---- data
insert into entry values (1, 1);

---- after
create table entry (id int primary key with (fillfactor = 70), a int unique);
