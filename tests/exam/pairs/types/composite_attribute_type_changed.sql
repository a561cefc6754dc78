-- Another type of an attribute that nobody uses, and one dropped.

---- before
create type size as (w int, h int, unit text);

---- after
create type size as (w numeric, h numeric);
