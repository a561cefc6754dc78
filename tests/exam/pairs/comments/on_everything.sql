-- Comments come, change and go.

---- before
create schema s;
create table s.t (id int primary key, a int, b int);
create index t_a on s.t (a);
create view s.v as select id from s.t;
create function s.f() returns int language sql as 'select 1';
create sequence s.q;
create type s.e as enum ('x');
comment on table s.t is 'old';
comment on column s.t.a is 'to go';

---- after
create schema s;
create table s.t (id int primary key, a int, b int);
create index t_a on s.t (a);
create view s.v as select id from s.t;
create function s.f() returns int language sql as 'select 1';
create sequence s.q;
create type s.e as enum ('x');
comment on schema s is 'a schema';
comment on table s.t is 'new: it''s';
comment on column s.t.b is E'two\nlines';
comment on constraint t_pkey on s.t is 'key';
comment on index s.t_a is 'an index';
comment on view s.v is 'a view';
comment on column s.v.id is 'a column of a view';
comment on function s.f() is 'one';
comment on sequence s.q is 'counts';
comment on type s.e is 'an enum';
