-- The collation goes with its last user.

---- before
create collation plain (provider = libc, locale = 'C');
create table word (id int primary key, body text collate plain);

---- data
insert into word values (1, 'b');

---- after
create table word (id int primary key, body text);
