-- A constraint with a comment.

---- before
create table a (id int primary key, n int, constraint n_ok check (n > 0));

---- after
create table a (id int primary key, n int, constraint n_ok check (n > 0));
comment on constraint n_ok on a is 'a count';
