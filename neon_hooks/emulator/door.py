"""A narrow door for what Neon lets its owner roles do and plain Postgres only superusers: event triggers.

https://neon.com/docs (event triggers belong to neon_superuser there). The door is one function that runs as the
superuser, in a schema whose name begins with ``pg_``: pg_dump, schema comparisons and tools that list the
schemas of a database pass over those. It is in template1 and so in every database made later, and it comes
to a child with the data.
"""

from __future__ import annotations

from neon_hooks.database.connect import Connection
from neon_hooks.database.watchers import DOOR

# Members of neon_superuser only, and only for a function of their own: the event trigger will run it as whoever
# issues a command, the superuser of the emulator included.
SQL = f"""
set local allow_system_table_mods = on;
create schema {DOOR};
create function {DOOR}.create_event_trigger(name text, event text, function regprocedure) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $function$
begin
  if not pg_has_role(session_user, 'neon_superuser', 'member') or not exists (
      select from pg_proc p where p.oid = function and p.prorettype = 'event_trigger'::regtype
        and pg_has_role(session_user, p.proowner, 'member')) then
    raise insufficient_privilege using message = 'permission denied to create event trigger "' || name || '"';
  end if;
  execute format('create event trigger %I on %I execute function %s', name, event, function);
  execute format('alter event trigger %I enable always', name);
end
$function$;
revoke all on function {DOOR}.create_event_trigger(text, text, regprocedure) from public;
grant usage on schema {DOOR} to neon_superuser;
grant execute on function {DOOR}.create_event_trigger(text, text, regprocedure) to neon_superuser;
"""


def build(connection: Connection) -> None:
    """Into the database of ``connection``, by the superuser. neon_superuser must exist."""
    with connection.transaction():
        connection.execute(SQL.encode())
