-- Digits would be lost without a word: the values are the developer's to change.
-- expect: refusal

---- before
create table price (id int primary key, amount numeric(10, 4));

---- data
insert into price values (1, 1.2345);

---- after
create table price (id int primary key, amount numeric(10, 2));
