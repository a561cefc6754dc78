-- Rows that are there twice: this cannot work, and has to be said.
-- expect: refusal

---- before
create table seat (id int primary key, number int);

---- data
insert into seat values (1, 1), (2, 1);

---- after
create table seat (id int primary key, number int unique);
