-- The same, where no row exists.

---- before
create table product (id int primary key);

---- after
create table product (id int primary key, sku text not null);
