-- Measurements by month. The step: another month, a rollup, an index on all of them.

---- before
create table sensor (id int primary key, place text);
create table measurement (sensor_id int not null references sensor, at timestamptz not null, value double precision) partition by range (at);
create table measurement_2026_01 partition of measurement for values from ('2026-01-01') to ('2026-02-01');
create table measurement_2026_02 partition of measurement for values from ('2026-02-01') to ('2026-03-01');

---- data
insert into sensor select n, 'room ' || n from generate_series(1, 4) n;
insert into measurement select 1 + n % 4, timestamptz '2026-01-02' + n * interval '1 h', n from generate_series(1, 500) n;

---- after
create table sensor (id int primary key, place text, unit text not null default '°C');
create table measurement (sensor_id int not null references sensor, at timestamptz not null, value double precision, quality smallint) partition by range (at);
create table measurement_2026_01 partition of measurement for values from ('2026-01-01') to ('2026-02-01');
create table measurement_2026_02 partition of measurement for values from ('2026-02-01') to ('2026-03-01');
create table measurement_2026_03 partition of measurement for values from ('2026-03-01') to ('2026-04-01');
create index measurement_at on measurement using brin (at);
create index measurement_sensor on measurement (sensor_id, at desc);
create materialized view daily as select sensor_id, date_trunc('day', at) as day, avg(value) as mean from measurement group by 1, 2;
create unique index daily_key on daily (sensor_id, day);
