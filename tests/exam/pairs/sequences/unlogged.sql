-- needs: 15
-- Numbers that may be lost.

---- before
create sequence tickets;
create sequence loud;

---- data
select nextval('tickets'), nextval('tickets');

---- after
create unlogged sequence tickets;
create unlogged sequence fresh as smallint;
create sequence loud;
