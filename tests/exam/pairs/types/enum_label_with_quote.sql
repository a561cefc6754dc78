-- Labels that have to be quoted.

---- before
create type saying as enum ('plain');
create table card (id int primary key, saying saying);

---- after
create type saying as enum ('plain', 'it''s', 'a "b" \c');
create table card (id int primary key, saying saying);
