-- The column has an index and a comment, which must survive.

---- before
create table line (id int primary key, qty int, total int generated always as (qty * 2) stored);
create index line_total on line (total);
comment on column line.total is 'twice';

---- data
insert into line (id, qty) values (1, 2);

---- after
create table line (id int primary key, qty int, total int generated always as (qty * 3) stored);
create index line_total on line (total);
comment on column line.total is 'thrice';
