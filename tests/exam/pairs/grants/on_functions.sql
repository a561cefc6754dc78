-- EXECUTE is everybody's until it is revoked.

---- before
create function f() returns int language sql as 'select 1';
create function g() returns int language sql as 'select 1';

---- after
create function f() returns int language sql as 'select 1';
create function g() returns int language sql as 'select 1';
revoke execute on function f() from public;
grant execute on function f() to app_writer;
grant execute on function g() to app_reader;
