-- A collation of libc, and a column with it.

---- before
create table word (id int primary key);

---- after
create collation plain (provider = libc, locale = 'C');
create table word (id int primary key, body text collate plain);
