-- What was required no longer is.

---- before
create table product (id int primary key, name text not null);

---- data
insert into product values (1, 'lamp');

---- after
create table product (id int primary key, name text);
