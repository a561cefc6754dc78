-- There is no value for the rows that exist: this can only be refused, or be asked about.
-- expect: refusal

---- before
create table product (id int primary key);

---- data
insert into product values (1), (2);

---- after
create table product (id int primary key, sku text not null);
