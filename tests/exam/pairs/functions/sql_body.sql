-- A body that Postgres parses, with what it depends on.

---- before
create table person (id int primary key, name text);

---- after
create table person (id int primary key, name text);
create view adult as select id, name from person where id > 17;
create function adults() returns bigint language sql stable begin atomic select count(*) from adult; end;
