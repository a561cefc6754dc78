-- Another order of the values.

---- before
create table word (id int primary key, body text);
create index word_body on word (body);

---- data
insert into word values (1, 'b'), (2, 'A');

---- after
create table word (id int primary key, body text collate "C");
create index word_body on word (body);
