-- ON DELETE SET NULL (column), MATCH FULL.

---- before
create table place (tenant int, id int, primary key (tenant, id));
create table visit (id int primary key, tenant int, place int, hall int);

---- data
insert into place values (1, 1);
insert into visit values (1, 1, 1, 1);

---- after
create table place (tenant int, id int, primary key (tenant, id));
create table visit (
    id int primary key, tenant int, place int, hall int,
    foreign key (tenant, place) references place on delete set null (place),
    foreign key (tenant, hall) references place match full on update cascade
);
