-- The operator goes, and its function.

---- before
create table t (id int primary key);
create function same(a text, b text) returns boolean language sql immutable as 'select a = b';
create operator ~~~~ (leftarg = text, rightarg = text, function = same);

---- after
create table t (id int primary key);
