-- Raw tables and views in three schemas. The step: a column passes through all layers.

---- before
create schema raw;
create schema core;
create schema mart;
create table raw.visit (id bigint primary key, url text, at timestamp);
create view core.visit as select id, lower(url) as url, at::date as day from raw.visit;
create view mart.daily as select day, count(*) as visits from core.visit group by day;
create materialized view mart.top as select url, count(*) as visits from core.visit group by url;
create index top_visits on mart.top (visits);
grant usage on schema mart to app_reader;
grant select on all tables in schema mart to app_reader;

---- data
insert into raw.visit select n, '/P' || n % 7, timestamp '2026-01-01' + n * interval '1 h' from generate_series(1, 100) n;
refresh materialized view mart.top;

---- after
create schema raw;
create schema core;
create schema mart;
create table raw.visit (id bigint primary key, url text, at timestamptz, country char(2));
create view core.visit as select id, lower(url) as url, (at at time zone 'UTC')::date as day, coalesce(country, '??') as country from raw.visit;
create view mart.daily as select day, country, count(*) as visits from core.visit group by day, country;
create materialized view mart.top as select url, country, count(*) as visits from core.visit group by url, country;
create index top_visits on mart.top (visits);
grant usage on schema mart to app_reader;
grant select on all tables in schema mart to app_reader;
