-- btree, hash, gin, gist, spgist, brin.

---- before
create table doc (id int primary key, body tsvector, tags int[], place point, day date, code text);

---- after
create table doc (id int primary key, body tsvector, tags int[], place point, day date, code text);
create index doc_code on doc using btree (code text_pattern_ops desc nulls last);
create index doc_hash on doc using hash (code);
create index doc_body on doc using gin (body) with (fastupdate = off);
create index doc_tags on doc using gin (tags);
create index doc_place on doc using gist (place);
create index doc_place_sp on doc using spgist (place);
create index doc_day on doc using brin (day) with (pages_per_range = 32);
