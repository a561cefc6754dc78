-- The kind of a generated column.
-- needs: 18

---- before
create table line (id int primary key, qty int, total int generated always as (qty * 2) stored);

---- data
insert into line (id, qty) values (1, 2);

---- after
create table line (id int primary key, qty int, total int generated always as (qty * 2) virtual);
