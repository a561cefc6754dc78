"""The query that the proxy slips into the tool's own session to see what only that session can see.

The file of a table that a transaction rewrote, for one, is invisible to everybody else until it commits. It
must never fail, as that would end the tool's transaction, whatever the session has set: every name and every
operator is qualified, so no search_path leads it astray (manual, 5.10.6), and it reads catalogues that every
role may read. It takes a snapshot, as any query does: whoever slips it in must not do so between BEGIN and a
SET TRANSACTION, which has to come before any query.
"""

from __future__ import annotations

from neon_hooks.database.events import FIRST_OID

SQL = """
select pg_catalog.json_build_object(
  'at', extract(epoch from pg_catalog.clock_timestamp()),
  'locks', coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(l.relation::pg_catalog.int8, l.mode)), '[]'),
  'files', coalesce(pg_catalog.json_object_agg(l.relation, l.file) filter (where l.first and l.file is not null), '{{}}'),
  'scans', coalesce(pg_catalog.json_object_agg(l.relation, l.scans) filter (where l.first and l.file is not null
    and l.scans is not null), '{{}}'),
  'changes', coalesce(pg_catalog.json_object_agg(l.relation, l.changes) filter (where l.first and l.file is not null
    and l.changes operator(pg_catalog.>) 0), '{{}}'),
  'lock_timeout', pg_catalog.current_setting('lock_timeout'),
  'statement_timeout', pg_catalog.current_setting('statement_timeout'))::pg_catalog.text
from (
  select k.relation, k.mode, pg_catalog.pg_relation_filenode(k.relation)::pg_catalog.int8 as file,
    case when c.relkind operator(pg_catalog.=) any ('{{r,m}}'::pg_catalog."char"[])
      then pg_catalog.pg_stat_get_xact_numscans(k.relation) end as scans,
    case when c.relkind operator(pg_catalog.=) 'r'::pg_catalog."char"
      then pg_catalog.pg_stat_get_xact_tuples_updated(k.relation) operator(pg_catalog.+)
        pg_catalog.pg_stat_get_xact_tuples_deleted(k.relation) end as changes,
    pg_catalog.row_number() over (partition by k.relation) operator(pg_catalog.=) 1 as first
  from pg_catalog.pg_locks k left join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) k.relation
  where k.locktype operator(pg_catalog.=) 'relation' and k.granted
    and k.pid operator(pg_catalog.=) pg_catalog.pg_backend_pid()
    and k.relation operator(pg_catalog.>=) {first_oid}::pg_catalog.oid
    and k.relation operator(pg_catalog.<=) {max_oid}::pg_catalog.oid) l
"""


def snapshot_sql(max_oid: int) -> str:
    """One row, one column of text: see events.parse_snapshot(). It has no parameters and takes no lock on a
    user's table. Relations that came after ``max_oid`` are left out.
    """
    return SQL.format(first_oid=FIRST_OID, max_oid=max_oid).strip()
