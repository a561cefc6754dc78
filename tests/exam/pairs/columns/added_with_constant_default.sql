-- A column with a constant default is added to a table with rows.

---- before
create table product (id int primary key, name text not null);

---- data
insert into product select n, 'product ' || n from generate_series(1, 50) n;

---- after
create table product (id int primary key, name text not null, stock int not null default 0);
