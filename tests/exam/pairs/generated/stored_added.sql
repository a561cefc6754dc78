-- A stored generated column.

---- before
create table line (id int primary key, qty int not null, price int not null);

---- data
insert into line values (1, 2, 3), (2, 5, 7);

---- after
create table line (id int primary key, qty int not null, price int not null, total int generated always as (qty * price) stored);
