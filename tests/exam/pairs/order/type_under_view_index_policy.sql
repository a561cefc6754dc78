-- The type of a column that a view, an index and a policy look at.

---- before
create table t (id int primary key, owner text, extra int);
create index t_owner on t (owner);
create view v as select id, owner from t;
alter table t enable row level security;
create policy p on t using (owner = current_user);

---- data
insert into t values (1, 'ada', null);

---- after
create table t (id int primary key, owner varchar(100), extra int);
create index t_owner on t (owner);
create view v as select id, owner from t;
alter table t enable row level security;
create policy p on t using (owner = current_user);
