-- A warehouse. The step: two renames that the developer states, and a column more.
-- options: --rename public.stock.qty=public.stock.quantity --rename public.depot=public.warehouse

---- before
create table depot (id int primary key, name text);
create table stock (depot_id int not null references depot, sku text not null, qty int not null default 0, constraint stock_key primary key (depot_id, sku));
create view empty_stock as select sku from stock where qty = 0;

---- data
insert into depot values (1, 'north'), (2, 'south');
insert into stock select 1 + n % 2, 'S' || n, n from generate_series(1, 40) n;

---- after
create table warehouse (id int primary key, name text, city text);
create table stock (depot_id int not null references warehouse, sku text not null, quantity int not null default 0, constraint stock_key primary key (depot_id, sku));
create view empty_stock as select sku from stock where quantity = 0;
