-- A virtual column with another expression.
-- needs: 18

---- before
create table line (id int primary key, qty int, total int generated always as (qty * 2) virtual);

---- data
insert into line (id, qty) values (1, 2);

---- after
create table line (id int primary key, qty int, total int generated always as (qty * 3) virtual);
