-- The sequences keep up with the tables, and go on.
-- options: --rename public.log=public.message --rename public.person=public.customer

---- before
create table log (id int generated always as identity primary key, text text);
create table person (id serial primary key, name text);

---- data
insert into log (text) values ('one'), ('two');
insert into person (name) values ('Ada'), ('Grace');

---- after
create table message (id int generated always as identity primary key, text text);
create table customer (id serial primary key, name text);
