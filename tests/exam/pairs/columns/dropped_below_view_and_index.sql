-- What hangs on a column that goes.
-- options: --rename public.person.fax=

---- before
create table person (id int primary key, name text, fax text);
create index person_fax on person (fax);
create view contact as select id, name, fax from person;
comment on view contact is 'all of them';
grant select on contact to app_reader;

---- data
insert into person values (1, 'Ada', '12');

---- after
create table person (id int primary key, name text);
create view contact as select id, name from person;
comment on view contact is 'all of them';
grant select on contact to app_reader;
