-- An extension in a schema of its own.

---- before

---- after
create schema tools;
create extension hstore with schema tools;
create table doc (id int primary key, attributes tools.hstore not null default '');
