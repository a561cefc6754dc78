-- Strings and names that look like keywords.

---- before
create table "primary key" (id int primary key);
create table note (id int primary key, state text, "references" int);

---- data
insert into note values (1, 'new', 1);
insert into "primary key" values (1);

---- after
create table "primary key" (id int primary key);
create table note (
    id int primary key, state text, "references" int references "primary key",
    constraint "not valid" check (state <> 'it is not valid'),
    constraint "using index" unique (state),
    constraint "drop table" check (state <> '; drop table note; -- not valid')
);
comment on constraint "drop table" on note is 'drop table note';
