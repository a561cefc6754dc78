-- An identity column becomes a plain one.

---- before
create table log (id int generated always as identity primary key, message text);

---- data
insert into log (message) values ('one');

---- after
create table log (id int primary key, message text);
