-- The rows hold nulls: this cannot work, and has to be said.
-- expect: refusal

---- before
create table product (id int primary key, name text);

---- data
insert into product values (1, null);

---- after
create table product (id int primary key, name text not null);
