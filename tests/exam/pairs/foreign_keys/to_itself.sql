-- A tree of rows.

---- before
create table category (id int primary key);

---- data
insert into category values (1), (2);

---- after
create table category (id int primary key, parent_id int references category on delete restrict);
create index category_parent on category (parent_id);
