-- Text search of one's own.

---- before
create table doc (id int primary key, body text);

---- after
create table doc (id int primary key, body text);
create text search dictionary words (template = simple, stopwords = english);
create text search configuration plain (copy = simple);
alter text search configuration plain alter mapping for asciiword with words;
create index doc_body on doc using gin (to_tsvector('plain', body));
