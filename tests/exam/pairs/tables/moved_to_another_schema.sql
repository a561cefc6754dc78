-- The table is in another schema now.

---- before
create table event (id int primary key);

---- after
create schema archive;
create table archive.event (id int primary key);
