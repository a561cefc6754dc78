-- An extension and a column of its type.

---- before
create table doc (id int primary key, title text);

---- data
insert into doc values (1, 'a title');

---- after
create extension citext;
create extension pg_trgm;
create table doc (id int primary key, title text, slug citext);
create index doc_title on doc using gin (title gin_trgm_ops);
