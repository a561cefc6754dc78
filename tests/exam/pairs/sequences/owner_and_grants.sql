-- Which column a sequence belongs to, who may use it.

---- before
create table t (id int primary key);
create sequence numbers;

---- after
create table t (id int primary key);
create sequence numbers owned by t.id;
grant usage on sequence numbers to app_reader;
comment on sequence numbers is 'of the bills';
