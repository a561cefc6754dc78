-- CREATE OR REPLACE cannot do that either.

---- before
create function area(w int, h int) returns int language sql immutable as 'select w * h';

---- after
create function area(width int, height int) returns int language sql immutable as 'select width * height';
