-- Values of an attribute would be gone without a word.
-- expect: refusal

---- before
create type address as (street text, city text);
create table company (id int primary key, address address);

---- data
insert into company values (1, ('Main St', 'Springfield'));

---- after
create type address as (street text);
create table company (id int primary key, address address);
