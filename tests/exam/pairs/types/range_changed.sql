-- Another subtype function; nothing uses it.

---- before
create type span as range (subtype = float8);

---- after
create type span as range (subtype = float8, subtype_diff = float8mi);
