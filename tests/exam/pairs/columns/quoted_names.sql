-- Names with capitals, spaces, quotes and keywords.

---- before
create table "Order" ("ID" int primary key, "select" text);

---- data
insert into "Order" values (1, 'x');

---- after
create table "Order" ("ID" int primary key, "select" text, "the ""total"" %" numeric not null default 0);
comment on column "Order"."the ""total"" %" is 'it''s 100 %';
