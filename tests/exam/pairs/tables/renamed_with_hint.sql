-- The developer says that it is a rename.
-- options: --rename public.client=public.customer

---- before
create table client (id int primary key, name text not null);

---- data
insert into client values (1, 'Ada');

---- after
create table customer (id int primary key, name text not null);
