-- The same name, another locale, below a column with an index.

---- before
create collation sorting (provider = libc, locale = 'C');
create table word (id int primary key, body text collate sorting);
create index word_body on word (body);

---- data
insert into word values (1, 'x');

---- after
create collation sorting (provider = libc, locale = 'POSIX');
create table word (id int primary key, body text collate sorting);
create index word_body on word (body);
