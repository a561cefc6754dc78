-- No two bookings of a room at a time.

---- before
create extension btree_gist;
create table booking (id int primary key, room int, during tstzrange);

---- data
insert into booking values (1, 1, '[2026-01-01,2026-01-02)');

---- after
create extension btree_gist;
create table booking (id int primary key, room int, during tstzrange, constraint no_overlap exclude using gist (room with =, during with &&) where (room > 0));
