-- A composite type, in a column.

---- before
create table company (id int primary key);

---- after
create type address as (street text, city text);
create table company (id int primary key, address address);
