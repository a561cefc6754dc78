-- Main is empty.

---- before

---- after
create schema shop;
create type shop.state as enum ('new', 'paid');
create table shop.customer (id bigint generated always as identity primary key, email text not null unique);
create table shop.purchase (id bigserial primary key, customer_id bigint not null references shop.customer, state shop.state not null default 'new');
create view shop.open_purchase as select id from shop.purchase where state = 'new';
