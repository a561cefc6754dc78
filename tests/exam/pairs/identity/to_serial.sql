-- Back to the old way: the numbers go on.

---- before
create table log (id int generated always as identity primary key, message text);

---- data
insert into log (message) values ('one'), ('two'), ('three');
delete from log where message = 'three';

---- after
create table log (id serial primary key, message text);
