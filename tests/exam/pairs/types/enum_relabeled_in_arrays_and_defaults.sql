-- A label goes; the type is used in an array, in defaults, below a view and in a label with a backslash.

---- before
create type mood as enum ('sad', E'so\\so', 'it''s ok', 'gone');
create table person (id int primary key, mood mood default 'sad', moods mood[] default '{sad}');
create view happy as select id, mood from person where mood > 'sad';

---- data
insert into person values (1, E'so\\so', array['sad', 'it''s ok']::mood[]);

---- after
create type mood as enum ('sad', E'so\\so', 'it''s ok');
create table person (id int primary key, mood mood default 'sad', moods mood[] default '{sad}');
create view happy as select id, mood from person where mood > 'sad';
