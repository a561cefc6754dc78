-- The developer says that it is a rename.
-- options: --rename public.person.mail=public.person.email

---- before
create table person (id int primary key, mail text not null);

---- data
insert into person values (1, 'ada@example.com');

---- after
create table person (id int primary key, email text not null);
