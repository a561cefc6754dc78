-- Objects of the same name in two schemas.

---- before
create schema a;
create schema b;
create table a.t (id int primary key, x int);
create table b.t (id int primary key, x int);
create type a.e as enum ('x');
create type b.e as enum ('x');

---- data
insert into a.t values (1, 2);
insert into b.t values (3, 4);

---- after
create schema a;
create schema b;
create table a.t (id int primary key, x int, y int);
create table b.t (id int primary key, x bigint);
create type a.e as enum ('x', 'y');
create type b.e as enum ('w', 'x');
