-- A table without rows.

---- before
create table keep (id int primary key);
create table old (id int primary key, keep_id int references keep);

---- after
create table keep (id int primary key);
