-- How large values are kept.

---- before
create table doc (id int primary key, body text, raw bytea);

---- after
create table doc (id int primary key, body text compression pglz, raw bytea);
alter table doc alter raw set storage external;
