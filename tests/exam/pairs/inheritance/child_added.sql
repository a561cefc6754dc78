-- A child with columns of its own.

---- before
create table vehicle (id int primary key, name text not null);

---- after
create table vehicle (id int primary key, name text not null);
create table truck (load int) inherits (vehicle);
