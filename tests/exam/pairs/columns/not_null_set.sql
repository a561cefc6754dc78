-- The rows hold no null.

---- before
create table product (id int primary key, name text);

---- data
insert into product values (1, 'lamp');

---- after
create table product (id int primary key, name text not null);
