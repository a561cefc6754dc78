-- Keywords, spaces and capitals in the names of what is replaced.

---- before
create table "user" (id int primary key, "Order By" int, "select" int);
create index "order" on "user" ("Order By");
create index "user Index" on "user" ("select");

---- data
insert into "user" values (1, 2, 3);

---- after
create table "user" (id int primary key, "Order By" int, "select" int);
create index "order" on "user" ("Order By" desc);
create unique index "user Index" on "user" ("select");
create index "not valid" on "user" ("select", "Order By");
