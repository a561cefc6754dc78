-- A check of a domain for new values only.

---- before
create domain short as text;
create table tag (id int primary key, name short);

---- data
insert into tag values (1, 'far too long');

---- after
create domain short as text;
create table tag (id int primary key, name short);
alter domain short add constraint is_short check (length(value) < 5) not valid;
