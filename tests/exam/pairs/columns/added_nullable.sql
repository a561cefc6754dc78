-- A column without any constraint is added.

---- before
create table product (id int primary key, name text not null);

---- data
insert into product values (1, 'lamp'), (2, 'desk');

---- after
create table product (id int primary key, name text not null, weight numeric(8,3));
