-- A second table that refers to the first.

---- before
create table author (id int primary key);

---- data
insert into author values (1);

---- after
create table author (id int primary key);
create table book (id int primary key, author_id int not null references author on delete cascade, title text not null);
create index book_author on book (author_id);
