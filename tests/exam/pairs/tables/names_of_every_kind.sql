-- Names that need quotes, with dots, blanks and quotes in them.

---- before
create schema "Odd"; create table "Odd"."T.a" ("x y" int primary key, "é" text, "a""b" int);
---- after
create schema "Odd"; create table "Odd"."T.a" ("x y" bigint primary key, "é" varchar(20) default 'ü' not null, "a""b" int references "Odd"."T.a" on delete cascade, "select" int check ("select" > 0)); create index "I ""x" on "Odd"."T.a" ("a""b", lower("é") desc) where "select" is null; comment on column "Odd"."T.a"."a""b" is 'q'; create view "Odd"."V" as select * from "Odd"."T.a";
