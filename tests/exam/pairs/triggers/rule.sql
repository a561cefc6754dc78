-- Rules of a table.

---- before
create table t (id int primary key);
create table log (id int);
create rule gone as on delete to t do also insert into log values (old.id);

---- after
create table t (id int primary key);
create table log (id int);
create rule kept as on update to t where old.id <> new.id do also insert into log values (old.id);
comment on rule kept on t is 'a rule';
