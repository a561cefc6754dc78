-- NOT NULL is a constraint with a name of its own.
-- needs: 18

---- before
create table product (id int primary key, name text);

---- data
insert into product values (1, 'lamp');

---- after
create table product (id int primary key, name text constraint name_is_known not null);
