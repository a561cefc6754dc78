-- The owner gives up a right of its own.

---- before
create table log (id int primary key);

---- after
create table log (id int primary key);
revoke update, delete, truncate on log from neondb_owner;
