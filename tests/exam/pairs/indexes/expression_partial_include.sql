-- An expression, a condition, further columns.

---- before
create table person (id int primary key, email text, name text, gone_at timestamptz);

---- data
insert into person values (1, 'A@b', 'A', null);

---- after
create table person (id int primary key, email text, name text, gone_at timestamptz);
create unique index person_email on person (lower(email)) include (name) where gone_at is null;
