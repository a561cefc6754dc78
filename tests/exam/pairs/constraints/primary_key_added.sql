-- A table without a key gets one.

---- before
create table entry (id int not null, a int);

---- data
insert into entry values (1, 1), (2, 1);

---- after
create table entry (id int not null, a int, primary key (id));
