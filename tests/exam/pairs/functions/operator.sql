-- An operator of a user's.

---- before
create function same(a text, b text) returns boolean language sql immutable as 'select lower(a) = lower(b)';

---- after
create function same(a text, b text) returns boolean language sql immutable as 'select lower(a) = lower(b)';
create operator ~~~~ (leftarg = text, rightarg = text, function = same, commutator = ~~~~);
