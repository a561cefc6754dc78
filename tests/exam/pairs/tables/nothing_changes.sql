-- The same schema in other words: nothing is to be written.

---- before
create table a (id serial primary key, name varchar(20) not null default 'x', unique (name));
create view v as select id, name from a where id > 3;

---- data
insert into a (name) values ('a');

---- after
CREATE TABLE public.a (id integer NOT NULL, name character varying(20) DEFAULT 'x'::character varying NOT NULL);
CREATE SEQUENCE public.a_id_seq AS integer OWNED BY public.a.id;
ALTER TABLE public.a ALTER COLUMN id SET DEFAULT nextval('public.a_id_seq');
ALTER TABLE public.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);
ALTER TABLE public.a ADD CONSTRAINT a_name_key UNIQUE (name);
CREATE VIEW public.v AS SELECT a.id, a.name FROM public.a WHERE (a.id > 3);
