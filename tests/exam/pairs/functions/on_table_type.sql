-- Functions that take and give rows of a table.

---- before
create table person (id int primary key, name text);
create function label(p person) returns text language sql stable as 'select p.name';
create function everyone() returns setof person language sql stable as 'select * from person';

---- data
insert into person values (1, 'Ada');

---- after
create table person (id int primary key, name text, age int);
create function label(p person) returns text language sql stable as 'select p.name || p.age';
create function everyone() returns setof person language sql stable as 'select * from person';
