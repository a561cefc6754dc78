-- A table gets an identity column as its key.

---- before
create table log (message text);

---- data
insert into log values ('one'), ('two');

---- after
create table log (message text, id bigint generated always as identity primary key);
