-- Two of the same name, and one goes.

---- before
create function f(a int) returns int language sql as 'select 1';
create function f(a text) returns int language sql as 'select 2';

---- after
create function f(a int) returns int language sql as 'select 1';
create function f(a date) returns int language sql as 'select 3';
