-- Three sequences, three changes.

---- before
create sequence changed;
create sequence gone;

---- data
select nextval('changed');

---- after
create sequence changed as bigint increment by 5 minvalue -10 maxvalue 1000 cache 3 cycle;
create sequence fresh as smallint start 7;
