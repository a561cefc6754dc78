-- A primary key grows, and the key that refers to it.

---- before
create table account (id int primary key);
create table entry (id int primary key, account_id int not null references account);

---- data
insert into account values (1), (2);
insert into entry values (1, 1), (2, 2);

---- after
create table account (id bigint primary key);
create table entry (id bigint primary key, account_id bigint not null references account);
