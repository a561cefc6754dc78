-- A narrower type, and every value fits.

---- before
create table note (id int primary key, body varchar(80));

---- data
insert into note values (1, 'short');

---- after
create table note (id int primary key, body varchar(10));
