-- Extended statistics.

---- before
create table t (id int primary key, a int, b int);
create statistics changed (ndistinct) on a, b from t;
create statistics gone (mcv) on a, b from t;

---- after
create table t (id int primary key, a int, b int);
create statistics changed (ndistinct, dependencies) on a, b from t;
create statistics fresh on (a + b), (a * b) from t;
alter statistics fresh set statistics 200;
comment on statistics fresh is 'sums';
