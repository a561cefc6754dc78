-- A recursive view, and one that was written with a star.

---- before
create table node (id int primary key, parent_id int references node);
create view everything as select * from node;

---- after
create table node (id int primary key, parent_id int references node, name text);
create view everything as select * from node;
create recursive view path (id, depth) as select id, 0 from node where parent_id is null union all select n.id, depth + 1 from node n join path p on n.parent_id = p.id;
