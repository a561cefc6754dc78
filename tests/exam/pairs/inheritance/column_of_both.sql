-- A column that the child has of its own and its parent gets, too; a parent that goes; a check that is not inherited.

---- before
create table place (id int primary key, name text);
create table town (mayor text) inherits (place);
create table village (pond boolean) inherits (place);

---- data
insert into place values (1, 'somewhere');
insert into town values (2, 'Ulm', 'somebody');
insert into village values (3, 'Au', true);

---- after
create table place (id int primary key, name text, height int, constraint low check (height < 9000) no inherit);
create table town (mayor text, height int default 300) inherits (place);
create table village (id int not null, name text, pond boolean);
