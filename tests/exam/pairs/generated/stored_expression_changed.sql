-- Another expression, with rows.

---- before
create table line (id int primary key, qty int, price int, total int generated always as (qty * price) stored);

---- data
insert into line (id, qty, price) values (1, 2, 3);

---- after
create table line (id int primary key, qty int, price int, total int generated always as (qty * price * 2) stored);
