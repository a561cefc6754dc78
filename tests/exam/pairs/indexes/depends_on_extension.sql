-- An index that goes with an extension.

---- before
create extension citext; create table t (id int primary key, c citext); create index i on t (c);
---- after
create extension citext; create table t (id int primary key, c citext); create index i on t (c);alter index i depends on extension citext;
