-- A view that a new primary key allows, and a unique key that a new foreign key needs.

---- before
create table t (id int not null, a int);
create table u (a int);

---- data
insert into t values (1, 1), (2, 2);
insert into u values (1);

---- after
create table t (id int primary key, a int unique);
create table u (a int references t (a));
create view v as select t.id, t.a, count(*) as n from t join u using (a) group by t.id;
create materialized view m as select * from v;
create unique index m_id on m (id);
