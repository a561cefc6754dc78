-- Every row gets its own value: the default is not constant.

---- before
create table visit (id int primary key, page text);

---- data
insert into visit select n, '/p/' || n from generate_series(1, 20) n;

---- after
create table visit (id int primary key, page text, token uuid not null default gen_random_uuid());
