-- A new domain and a new table.

---- before

---- after
create domain positive as int not null default 1 constraint is_positive check (value > 0);
create table stock (id int primary key, amount positive);
