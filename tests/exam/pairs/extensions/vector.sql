-- A column of vectors with its index.
-- needs: vector

---- before
create table doc (id int primary key);

---- after
create extension vector;
create table doc (id int primary key, meaning vector(3));
create index doc_meaning on doc using hnsw (meaning vector_l2_ops);
