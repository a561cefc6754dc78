-- Array columns.

---- before
create table post (id int primary key, tags varchar(10)[]);

---- data
insert into post values (1, '{a,b}');

---- after
create table post (id int primary key, tags text[] not null default '{}', scores int[]);
