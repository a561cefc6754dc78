-- A range type goes.

---- before
create type timerange as range (subtype = time, multirange_type_name = times);
create table plan (id int primary key);

---- after
create table plan (id int primary key);
