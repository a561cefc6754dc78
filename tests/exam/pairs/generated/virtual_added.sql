-- A virtual generated column.
-- needs: 18

---- before
create table line (id int primary key, qty int, price int);

---- data
insert into line values (1, 2, 3);

---- after
create table line (id int primary key, qty int, price int, total int generated always as (qty * price) virtual);
