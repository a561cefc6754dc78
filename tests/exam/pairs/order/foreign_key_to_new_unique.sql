-- The foreign key needs a unique constraint that is new too, on a table with rows.

---- before
create table a (id int primary key, code text not null);
create table b (id int primary key, code text);

---- data
insert into a values (1, 'x');
insert into b values (1, 'x');

---- after
create table a (id int primary key, code text not null unique);
create table b (id int primary key, code text references a (code) on update cascade);
