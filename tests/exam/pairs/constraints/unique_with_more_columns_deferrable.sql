-- INCLUDE, NULLS NOT DISTINCT and DEFERRABLE at once.

---- before
create table member (id int primary key, team int, place int, name text);

---- data
insert into member values (1, 1, 1, 'Ada'), (2, 1, 2, 'Grace');

---- after
create table member (
    id int primary key, team int, place int, name text,
    constraint member_place unique nulls not distinct (team, place) include (name) deferrable initially deferred
);
