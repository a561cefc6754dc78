-- The name of NOT NULL changes, its meaning does not.
-- needs: 18

---- before
create table product (id int primary key, name text constraint known not null);

---- data
insert into product values (1, 'lamp');

---- after
create table product (id int primary key, name text constraint name_is_known not null);
comment on constraint name_is_known on product is 'since the beginning';
