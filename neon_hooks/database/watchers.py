"""Event triggers in the test Neon database branch that tell the tool's own connection what its DDL did.

They see what no proxy sees: DDL in DO blocks and functions, statements that share one message, each table
that is rewritten and each object that goes with another one. They are blind for TRUNCATE, VACUUM FULL,
CLUSTER, LOCK TABLE and for whatever CONCURRENTLY locked on its way (manual, chapter 38); the sampler and
the snapshot are there for those. They report through notices of level INFO, which no client_min_messages
holds back, with the SQLSTATE and the JSON of events.py.

A mistake in them would abort the statement of the tool. So they catch nothing (an EXCEPTION block is a
subtransaction for each event) and contain nothing that can fail, whatever the session's settings are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from neon_hooks.database.connect import Connection
from neon_hooks.database.events import FIRST_OID, SQLSTATE

SCHEMA = "neon_hooks_recorder"
# Where only superusers may create event triggers, a server can offer this schema with a function
# create_event_trigger(name text, event text, function regprocedure). Ours does: see emulator/door.py.
DOOR = "pg_neon_hooks_door"
EVENTS = {"ddl": "ddl_command_end", "rewrite": "table_rewrite", "drop": "sql_drop"}
MOST_OBJECTS = 200
MOST_DROPPED = 500
# pg_locks has all the locks of all sessions: with thousands of them in one transaction, a listing for every
# statement made the whole quadratic. So a listing has to be earned: it costs LISTING_SHARE times the time that
# it took, and a session saves up BURST_SECONDS at most (some hundred listings while there are few locks).
LISTING_SHARE = 25
BURST_SECONDS = 1
NEXT_LISTING = f"{SCHEMA}.next_listing"
HIDDEN = f"^(pg_temp|pg_toast|{SCHEMA}$)"

# Each body runs with a search_path of its own, so that no operator or function of a user is met.
FUNCTION = """
create function {schema}.{name}() returns event_trigger language plpgsql
set search_path = pg_catalog, pg_temp as $function$
{body}
$function$
"""

DDL = f"""
declare
  now_at timestamptz := clock_timestamp();
  due text := current_setting('{NEXT_LISTING}', true);
  command record;
  hidden bigint := 0;
  shown bigint := 0;
  found text := '';
  held text := 'null';
  built text := 'null';
begin
  -- A loop, as an aggregate over the one or two rows that there are mostly takes several times as long.
  for command in select * from pg_event_trigger_ddl_commands() loop
    if command.in_extension or command.schema_name ~ '{HIDDEN}' then
      hidden := hidden + 1;
    else
      shown := shown + 1;
      if shown <= {MOST_OBJECTS} then
        found := found || case shown when 1 then '[' else ',[' end || coalesce(command.classid::bigint, 0)
          || ',' || coalesce(command.objid::bigint, 0) || ',"' || command.object_type || '",'
          || coalesce(to_json(command.object_identity)::text, '""') || ',"' || command.command_tag || '"]';
      end if;
    end if;
  end loop;
  if hidden > 0 and shown = 0 then
    return;
  end if;
  if (case when due ~ '^[0-9]+([.][0-9]+)?$' then due::numeric <= extract(epoch from now_at) else true end) then
    select coalesce(json_agg(json_build_array(l.relation::bigint, l.mode,
        pg_stat_get_xact_numscans(l.relation))), '[]')
      into held
      from pg_locks l
      where l.locktype = 'relation' and l.granted and l.pid = pg_backend_pid()
        and l.relation between {FIRST_OID} and {{max_oid}};
    perform set_config('{NEXT_LISTING}', (greatest(extract(epoch from now_at) - {BURST_SECONDS},
      case when due ~ '^[0-9]+([.][0-9]+)?$' then due::numeric end)
      + {LISTING_SHARE} * extract(epoch from clock_timestamp() - now_at))::text, false);
  end if;
  if tg_tag = 'CREATE INDEX' or tg_tag = 'REINDEX' then
    select coalesce(json_agg(json_build_array(i.indrelid::bigint, pg_stat_get_xact_numscans(i.indrelid)))::text, built)
      into built
      from pg_event_trigger_ddl_commands() e
        cross join lateral (select e.objid union all select p.relid from pg_class c, pg_partition_tree(c.oid) p
          where c.oid = e.objid and c.relkind = 'I' and p.level > 0) made(index)
        join pg_index i on i.indexrelid = made.index
      where e.classid = 'pg_class'::regclass;
  end if;
  raise info using errcode = '{SQLSTATE}', message = '{{"kind":"ddl","at":' || extract(epoch from now_at)
    || ',"tag":"' || tg_tag || '","count":' || shown || ',"objects":[' || found || '],"locks":' || held || ',"built":' || built
    || ',"lock_timeout":"' || current_setting('lock_timeout')
    || '","statement_timeout":"' || current_setting('statement_timeout') || '"}}';
end
"""

REWRITE = f"""
declare
  target oid := pg_event_trigger_table_rewrite_oid();
begin
  if exists (select from pg_class c where c.oid = target and c.relpersistence = 't') then
    return;
  end if;
  raise info using errcode = '{SQLSTATE}', message = json_build_object(
    'kind', 'rewrite', 'at', extract(epoch from clock_timestamp()), 'tag', tg_tag, 'relation', target::bigint,
    'name', target::regclass::text, 'reason', pg_event_trigger_table_rewrite_reason());
end
"""

DROP = f"""
declare
  total bigint;
  found json;
begin
  select count(*), json_agg(json_build_array(d.object_type, d.object_identity, d.objid::bigint, d.original,
      d.normal)) filter (where d.number <= {MOST_DROPPED})
    into total, found
    from (select e.*, row_number() over () as number from pg_event_trigger_dropped_objects() e
          where not e.is_temporary and coalesce(e.schema_name, '') !~ '{HIDDEN}') d;
  if total > 0 then
    raise info using errcode = '{SQLSTATE}', message = json_build_object(
      'kind', 'drop', 'at', extract(epoch from clock_timestamp()), 'tag', tg_tag, 'count', total,
      'dropped', found);
  end if;
end
"""

BODIES = {"ddl": DDL, "rewrite": REWRITE, "drop": DROP}


@dataclass(frozen=True)
class Watchers:
    """``max_oid``: no relation that existed before has a larger OID (as long as the counter of the server did
    not wrap around). ``refused`` says in the server's words why there are no event triggers, "" when there are.
    """

    max_oid: int
    refused: str = ""


def install(connection: Connection, bodies: Mapping[str, str] = BODIES) -> Watchers:
    """Create schema, functions and event triggers, or nothing at all where the role may not. ``bodies``: of the
    functions, by EVENTS.

    Raises psycopg.OperationalError when the connection breaks.
    """
    remove(connection)
    row = connection.execute("select pg_catalog.max(oid)::pg_catalog.int8 from pg_catalog.pg_class").fetchone()
    max_oid = int(row[0]) if row else 0
    try:
        with connection.transaction():
            connection.execute(f"create schema {SCHEMA}".encode())
            for name, body in bodies.items():
                text = FUNCTION.format(schema=SCHEMA, name=name, body=body.replace("{max_oid}", str(max_oid)))
                connection.execute(text.encode())
            for name in bodies:
                _create_trigger(connection, name, EVENTS[name])
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        return Watchers(max_oid, error.diag.message_primary or type(error).__name__)
    return Watchers(max_oid)


def remove(connection: Connection) -> None:
    """Take everything away again; harmless where there is nothing. Raises psycopg.Error.

    The event triggers go with their functions: so the role that may not create them can remove them.
    """
    with connection.transaction():
        # Without the notice about what cascades.
        connection.execute("set local client_min_messages = warning")
        connection.execute(f"drop schema if exists {SCHEMA} cascade".encode())


def _create_trigger(connection: Connection, name: str, event: str) -> None:
    """ENABLE ALWAYS: some tools set session_replication_role = replica to silence triggers."""
    trigger = f"{SCHEMA}_{name}"
    try:
        with connection.transaction():
            connection.execute(f"create event trigger {trigger} on {event} execute function {SCHEMA}.{name}()".encode())
            connection.execute(f"alter event trigger {trigger} enable always".encode())
    except psycopg.errors.InsufficientPrivilege:
        door = connection.execute("select pg_catalog.to_regnamespace(%s) is not null", (DOOR,)).fetchone()
        if not door or not door[0]:
            raise
        query = sql.SQL("select {}.create_event_trigger(%s, %s, %s::regprocedure)").format(sql.Identifier(DOOR))
        connection.execute(query, (trigger, event, f"{SCHEMA}.{name}()"))
