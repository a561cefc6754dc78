-- What an owner has by nature can be taken away, and given back.

---- before
create table t (id int);
create table u (id int);
revoke insert on t from current_user;
create function f() returns int language sql as 'select 1';
revoke all on function f() from public;

---- after
create table t (id int);
create table u (id int);
revoke delete, truncate on u from current_user;
create function f() returns int language sql as 'select 1';
grant execute on function f() to app_reader with grant option;
