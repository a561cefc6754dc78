-- A constraint that stays NOT VALID with another condition, and one that is trusted no longer.

---- before
create table sale (id int primary key, amount int, tax int);
alter table sale add constraint sale_amount check (amount > 0) not valid;
alter table sale add constraint sale_tax check (tax >= 0);

---- data
alter table sale drop constraint sale_amount;
insert into sale values (1, -1, 0);
alter table sale add constraint sale_amount check (amount > 0) not valid;

---- after
create table sale (id int primary key, amount int, tax int);
alter table sale add constraint sale_amount check (amount > 10) not valid;
alter table sale add constraint sale_tax check (tax >= 0) not valid;
