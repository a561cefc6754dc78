-- NOT NULL of a domain, with a name of its own.
-- needs: 17

---- before
create domain code as text;
create domain name as text constraint known not null;
create table part (id int primary key, code code);

---- data
insert into part values (1, 'A1');

---- after
create domain code as text constraint code_is_known not null;
create domain name as text constraint name_is_known not null;
create table part (id int primary key, code code);
