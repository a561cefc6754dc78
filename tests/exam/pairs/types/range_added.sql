-- A range type with its multirange.

---- before
create table plan (id int primary key);

---- after
create type timerange as range (subtype = time);
create table plan (id int primary key, open timerange);
