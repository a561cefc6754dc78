-- The view that comes first by name needs the one that comes last.

---- before
create table t (id int primary key);

---- after
create table t (id int primary key);
create view z_base as select id from t;
create view m_middle as select id from z_base;
create view a_top as select m_middle.id from m_middle, z_base;
