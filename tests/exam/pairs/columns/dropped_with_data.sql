-- A column with values disappears.

---- before
create table product (id int primary key, name text not null, old_code text);

---- data
insert into product values (1, 'lamp', 'A1'), (2, 'desk', null);

---- after
create table product (id int primary key, name text not null);
