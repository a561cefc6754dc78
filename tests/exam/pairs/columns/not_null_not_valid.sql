-- NOT NULL for new rows only.
-- needs: 18

---- before
create table product (id int primary key, name text);

---- data
insert into product values (1, null);

---- after
create table product (id int primary key, name text);
alter table product add constraint product_name_not_null not null name not valid;
