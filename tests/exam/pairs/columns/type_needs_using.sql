-- No cast from text to int happens by itself.

---- before
create table reading (id int primary key, value text);

---- data
insert into reading values (1, '42');

---- after
create table reading (id int primary key, value int);
