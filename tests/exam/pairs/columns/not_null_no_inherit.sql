-- NOT NULL that children do not get.
-- needs: 18

---- before
create table product (id int primary key, name text);

---- after
create table product (id int primary key, name text constraint named not null no inherit);
