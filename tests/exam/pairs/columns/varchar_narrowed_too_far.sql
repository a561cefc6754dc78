-- A value does not fit: it must not be cut off.
-- expect: refusal

---- before
create table note (id int primary key, body varchar(80));

---- data
insert into note values (1, 'short'), (2, 'longer than ten');

---- after
create table note (id int primary key, body varchar(10));
