-- A temporal key and a temporal foreign key.
-- needs: 18

---- before
create extension btree_gist;
create table room (id int not null, valid daterange not null);
create table booking (room_id int not null, during daterange not null);

---- data
insert into room values (1, '[2026-01-01,2027-01-01)');
insert into booking values (1, '[2026-02-01,2026-02-05)');

---- after
create extension btree_gist;
create table room (id int not null, valid daterange not null, primary key (id, valid without overlaps));
create table booking (room_id int not null, during daterange not null, foreign key (room_id, period during) references room (id, period valid));
