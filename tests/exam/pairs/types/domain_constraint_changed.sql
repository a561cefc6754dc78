-- The check, the default and NOT NULL of a domain.

---- before
create domain percent as int default 0 constraint range check (value between 0 and 100);
create table tax (id int primary key, rate percent);

---- data
insert into tax values (1, 20);

---- after
create domain percent as int default 10 constraint range check (value between 0 and 50) not null;
create table tax (id int primary key, rate percent);
