-- From nothing to an identity and to a serial, above the numbers that rows have already.

---- before
create table log (id bigint primary key, message text);
create table old (id int not null);
create table none (id int primary key);

---- data
insert into log values (1, 'one'), (41, 'two');
insert into old values (-3), (1000);

---- after
create table log (id bigint generated always as identity primary key, message text);
create table old (id serial);
create table none (id int generated always as identity (start with 500) primary key);
