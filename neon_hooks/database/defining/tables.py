"""Definitions of tables, and of all that belongs to one alone: columns, constraints, indexes, partitions, options."""

from __future__ import annotations

from neon_hooks.database.defining.parts import (
    CLASS, COLUMNS, FOREIGN_OPTIONS, OWN_CLASS, PG18, SEQUENCE_OPTIONS, X, on_table,
)  # fmt: skip

TYPE = """format_type(a.atttypid, a.atttypmod) || case when a.attcollation <> t.typcollation
    then ' COLLATE ' || a.attcollation::regcollation else '' end"""
INHERITED = "(a.attinhcount > 0 and not a.attislocal)"


def _generated(version: int) -> str:
    expression = "pg_get_expr(e.adbin, e.adrelid)"
    return f"""case a.attgenerated when 's' then ' GENERATED ALWAYS AS (' || {expression} || ') STORED'
        when 'v' then ' GENERATED ALWAYS AS (' || {expression} || ') VIRTUAL' else '' end"""


def _column_definition(version: int) -> str:
    return f"quote_ident(a.attname) || ' ' || {TYPE} || {_generated(version)}"


# Columns of views have defaults, those of materialized views what is physical.
OF_TABLES, OF_VIEWS, OF_STORED_VIEWS = "('r', 'p', 'f')", "('r', 'p', 'f', 'v')", "('r', 'p', 'f', 'm')"
WORD = "case c.relkind when 'v' then 'VIEW ' when 'm' then 'MATERIALIZED VIEW ' else 'TABLE ' end"


def _on_column(kind: str, text: str, create: str, drop: str, alter: str, where: str, kinds: str = OF_TABLES) -> str:
    """An attribute of a column as an object of its own."""
    begin = f"'ALTER ' || {WORD} || {X} || ' ALTER COLUMN ' || quote_ident(a.attname) || ' ' || "
    altered = f"{begin}{alter}" if alter else "''"
    return f"""select '{kind}', {X} || '.' || quote_ident(a.attname), {text},
        {begin}{create}, {begin}{drop}, {altered}
        {COLUMNS.replace(OF_TABLES, kinds).replace(' order by', f' and {where} order by')}"""


FOREIGN_COLUMN_OPTIONS = f"""select 'foreign column option', {X} || '.' || quote_ident(a.attname) || ' ' || quote_ident(o.option_name), o.option_value,
    begin_ || 'ADD ' || quote_ident(o.option_name) || ' ' || quote_literal(o.option_value) || ')', begin_ || 'DROP ' || quote_ident(o.option_name) || ')',
    begin_ || 'SET ' || quote_ident(o.option_name) || ' ' || quote_literal(o.option_value) || ')'
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace, lateral pg_options_to_table(a.attfdwoptions) o,
    lateral (select 'ALTER FOREIGN TABLE ' || {X} || ' ALTER COLUMN ' || quote_ident(a.attname) || ' OPTIONS (' begin_) l
    where c.relkind = 'f' and not a.attisdropped and {OWN_CLASS}"""


def _of_partition(version: int) -> tuple[str, str]:
    """What a partition must have before it can be attached, as pg_dump writes it too: NOT NULL of a column; the checks."""
    not_null = "case when a.attnotnull then ' NOT NULL' else '' end"
    if version >= PG18:
        not_null = """coalesce((select ' CONSTRAINT ' || quote_ident(r.conname) || ' NOT NULL' from pg_constraint r
            where r.contype = 'n' and r.convalidated and r.conrelid = c.oid and r.conkey[1] = a.attnum), '')"""
    checks = """(select string_agg(', CONSTRAINT ' || quote_ident(r.conname) || ' ' || pg_get_constraintdef(r.oid), '' order by r.conname)
        from pg_constraint r where r.contype = 'c' and r.convalidated and r.conrelid = c.oid)"""
    return f"case when c.relispartition then {not_null} else '' end", f"case when c.relispartition then {checks} end"


def tables(version: int) -> str:
    not_null, checks = _of_partition(version)
    parents = """(select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno) from pg_inherits i
        where i.inhrelid = c.oid and not c.relispartition)"""
    return f"""select 'table', {X}::text, kind || shape,
        'CREATE ' || kind || 'TABLE ' || {X} || ' (' || coalesce(columns, '') || coalesce({checks}, '') || ')' || shape, 'DROP ' || foreign_ || 'TABLE ' || {X}, ''
        from {CLASS},
        lateral (select case c.relkind when 'f' then 'FOREIGN ' else '' end foreign_) k,
        lateral (select foreign_ || case c.relpersistence when 'u' then 'UNLOGGED ' else '' end kind) u,
        lateral (select string_agg({_column_definition(version)} || {not_null}, ', ' order by a.attnum) columns from pg_attribute a
            join pg_type t on t.oid = a.atttypid left join pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and (not {INHERITED} or c.relispartition)) a,
        lateral (select coalesce(' INHERITS (' || {parents} || ')', '') || coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), '')
            || case c.relkind when 'f' then (select ' SERVER ' || quote_ident(s.srvname) || {FOREIGN_OPTIONS.format(options='f.ftoptions')}
                from pg_foreign_table f join pg_foreign_server s on s.oid = f.ftserver where f.ftrelid = c.oid) else '' end shape) s
        where c.relkind in ('r', 'p', 'f') and {OWN_CLASS} order by c.oid"""


KIND_OF_IDENTITY = "case a.attidentity when 'a' then 'ALWAYS' else 'BY DEFAULT' end"
IDENTITY_SEQUENCE = f"""(select ' (SEQUENCE NAME ' || s.seqrelid::regclass || {SEQUENCE_OPTIONS} || ')' from pg_sequence s
    where s.seqrelid = pg_get_serial_sequence({X}::text, a.attname)::regclass)""".replace("' AS ' || s.seqtypid::regtype || ' START", "' START")


def columns(version: int) -> str:
    begin = f"'ALTER TABLE ' || {X} || ' "
    alter = f"""case when a.attgenerated = '' then {begin}ALTER COLUMN ' || quote_ident(a.attname) || ' TYPE ' || {TYPE}
        || ' USING ' || quote_ident(a.attname) || '::' || format_type(a.atttypid, a.atttypmod) end"""
    # What a child has of its own and from its parent, it must have before its parent gets it.
    where = f"(c.relispartition or not {INHERITED}) order by (a.attinhcount = 0 or c.relispartition),"
    # With these a new column has values in the rows that are there; a constant costs no rewrite (manual, 5.7.1).
    filled = f"""case when a.attidentity <> '' then ' GENERATED ' || {KIND_OF_IDENTITY} || ' AS IDENTITY' || {IDENTITY_SEQUENCE}
        when e.oid is not null and a.attgenerated = '' then ' DEFAULT ' || pg_get_expr(e.adbin, e.adrelid) else '' end"""
    named = "''"
    if version >= PG18:
        named = """coalesce((select ' CONSTRAINT ' || quote_ident(r.conname) from pg_constraint r where r.contype = 'n' and r.convalidated
            and not r.connoinherit and r.conrelid = c.oid and r.conkey[1] = a.attnum), '')"""
    not_null = f"case when a.attnotnull then {named} || ' NOT NULL' else '' end"
    return f"""select 'column', {X} || '.' || quote_ident(a.attname), {TYPE} || {_generated(version)},
        {begin}ADD COLUMN ' || {_column_definition(version)} || {filled} || {not_null}, {begin}DROP COLUMN ' || quote_ident(a.attname), {alter}
        {COLUMNS.replace('order by', f'and {where}')}"""


PARTITIONS = f"""select 'partition', {X}::text, i.inhparent::regclass || ' ' || pg_get_expr(c.relpartbound, c.oid),
    'ALTER TABLE ' || i.inhparent::regclass || ' ATTACH PARTITION ' || {X} || ' ' || pg_get_expr(c.relpartbound, c.oid),
    'ALTER TABLE ' || i.inhparent::regclass || ' DETACH PARTITION ' || {X}, ''
    from {CLASS} join pg_inherits i on i.inhrelid = c.oid where c.relispartition and c.relkind in ('r', 'p', 'f') and {OWN_CLASS} order by c.oid"""


def not_null(version: int) -> str:
    """Since Postgres 18 a constraint with a name (release notes 18, E.x.3.4); one that a partition has already keeps it."""
    if version < PG18:
        inherited = """exists (select from pg_inherits h join pg_attribute b on b.attrelid = h.inhparent and b.attname = a.attname
            where h.inhrelid = c.oid and b.attnotnull)"""
        where = f"a.attnotnull and a.attidentity = '' and (c.relispartition or not {inherited})"
        return _on_column("not null", "''", "'SET NOT NULL'", "'DROP NOT NULL'", "", where)
    return f"""select 'not null', {X} || '.' || quote_ident(a.attname), quote_ident(r.conname) || flags,
        'ALTER TABLE ' || {X} || ' ADD CONSTRAINT ' || quote_ident(r.conname) || ' NOT NULL ' || quote_ident(a.attname) || flags,
        'ALTER TABLE ' || {X} || ' ALTER COLUMN ' || quote_ident(a.attname) || ' DROP NOT NULL', ''
        from pg_constraint r join pg_class c on c.oid = r.conrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum = r.conkey[1],
        lateral (select case when r.connoinherit then ' NO INHERIT' else '' end || case when r.convalidated then '' else ' NOT VALID' end flags) f
        where r.contype = 'n' and (r.conislocal or c.relispartition) and {OWN_CLASS} order by not c.relispartition, r.oid"""


DEFAULTS = _on_column(
    "default", "pg_get_expr(e.adbin, e.adrelid)", "'SET DEFAULT ' || pg_get_expr(e.adbin, e.adrelid)", "'DROP DEFAULT'",
    "'SET DEFAULT ' || pg_get_expr(e.adbin, e.adrelid)", "e.oid is not null and a.attgenerated = ''", OF_VIEWS,
)  # fmt: skip
IDENTITIES = _on_column(
    "identity", f"{KIND_OF_IDENTITY} || ' ' || pg_get_serial_sequence({X}::text, a.attname)::regclass", f"'ADD GENERATED ' || {KIND_OF_IDENTITY} || ' AS IDENTITY' || {IDENTITY_SEQUENCE}", "'DROP IDENTITY'",
    f"'SET GENERATED ' || {KIND_OF_IDENTITY}", "a.attidentity <> '' and not c.relispartition",
)  # fmt: skip
STORAGE = "case {0} when 'p' then 'PLAIN' when 'e' then 'EXTERNAL' when 'm' then 'MAIN' else 'EXTENDED' end"
STORAGES = _on_column(
    "storage", STORAGE.format("a.attstorage"), f"'SET STORAGE ' || {STORAGE.format('a.attstorage')}",
    f"'SET STORAGE ' || {STORAGE.format('t.typstorage')}", f"'SET STORAGE ' || {STORAGE.format('a.attstorage')}",
    "a.attstorage <> t.typstorage", OF_STORED_VIEWS,
)  # fmt: skip
COMPRESSION = "case a.attcompression when 'p' then 'pglz' else 'lz4' end"
COMPRESSIONS = _on_column(
    "compression", COMPRESSION, f"'SET COMPRESSION ' || {COMPRESSION}", "'SET COMPRESSION DEFAULT'",
    f"'SET COMPRESSION ' || {COMPRESSION}", "a.attcompression <> ''", OF_STORED_VIEWS,
)  # fmt: skip
TARGETS = _on_column(
    "statistics target", "a.attstattarget::text", "'SET STATISTICS ' || a.attstattarget", "'SET STATISTICS -1'",
    "'SET STATISTICS ' || a.attstattarget", "coalesce(a.attstattarget, -1) >= 0", OF_STORED_VIEWS,
)  # fmt: skip
INDEX_TARGETS = f"""select 'index statistics target', {X} || ' ' || a.attnum, a.attstattarget::text,
    'ALTER INDEX ' || {X} || ' ALTER COLUMN ' || a.attnum || ' SET STATISTICS ' || a.attstattarget,
    'ALTER INDEX ' || {X} || ' ALTER COLUMN ' || a.attnum || ' SET STATISTICS -1',
    'ALTER INDEX ' || {X} || ' ALTER COLUMN ' || a.attnum || ' SET STATISTICS ' || a.attstattarget
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('i', 'I') and coalesce(a.attstattarget, -1) >= 0 and {OWN_CLASS}"""
# CREATE TABLE makes them with their columns; ALTER TABLE OF compares those with the type's.
TYPED = on_table(
    "typed table", "c.reloftype::regtype::text", "'OF ' || c.reloftype::regtype", "'NOT OF'", "c.reloftype <> 0", "'OF ' || c.reloftype::regtype"
)


def options(where: str, word: str) -> str:
    """One object for each storage parameter; those of the TOAST table have its name in front."""
    return f"""select 'option', {X} || ' ' || o.name, o.value, 'ALTER {word} ' || {X} || ' SET (' || o.name || ' = ' || quote_literal(o.value) || ')',
        'ALTER {word} ' || {X} || ' RESET (' || o.name || ')',
        'ALTER {word} ' || {X} || ' SET (' || o.name || ' = ' || quote_literal(o.value) || ')'
        from {CLASS}, lateral (
            select quote_ident(option_name) name, option_value value from pg_options_to_table(c.reloptions)
            union all select 'toast.' || quote_ident(option_name), option_value
            from pg_class x, pg_options_to_table(x.reloptions) where x.oid = c.reltoastrelid) o
        where {OWN_CLASS} and {where}"""


# The two that Postgres has (manual, ALTER TABLE); others are a server's own, which nobody can set.
COLUMN_OPTIONS = f"""select 'column option', {X} || '.' || quote_ident(a.attname) || ' ' || o.option_name, o.option_value,
    begin_ || 'SET (' || o.option_name || ' = ' || o.option_value || ')', begin_ || 'RESET (' || o.option_name || ')',
    begin_ || 'SET (' || o.option_name || ' = ' || o.option_value || ')'
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace,
    lateral pg_options_to_table(a.attoptions) o,
    lateral (select 'ALTER ' || {WORD} || {X} || ' ALTER COLUMN ' || quote_ident(a.attname) || ' ' begin_) l
    where o.option_name in ('n_distinct', 'n_distinct_inherited') and not a.attisdropped and {OWN_CLASS}"""
CONSTRAINTS = f"""select 'constraint', {X} || '.' || quote_ident(r.conname), pg_get_constraintdef(r.oid),
    'ALTER TABLE ' || {X} || ' ADD CONSTRAINT ' || quote_ident(r.conname) || ' ' || pg_get_constraintdef(r.oid),
    'ALTER TABLE ' || {X} || ' DROP CONSTRAINT ' || quote_ident(r.conname), ''
    from pg_constraint r join pg_class c on c.oid = r.conrelid join pg_namespace n on n.oid = c.relnamespace
    where r.contype in ('c', 'p', 'u', 'f', 'x') and r.conparentid = 0 and (r.conislocal or (r.contype = 'c' and c.relispartition))
      and (r.coninhcount = 0 or r.contype = 'c') and {OWN_CLASS}
    order by r.contype = 'f', r.oid"""
BEHIND_CONSTRAINT = "exists (select from pg_constraint r where r.conindid = c.oid and r.contype in ('p', 'u', 'x'))"
INDEXES = f"""select 'index', i.indexrelid::regclass::text, def || case when i.indisvalid then '' else ' INVALID' end, def, 'DROP INDEX ' || i.indexrelid::regclass, ''
    from pg_index i join {CLASS.replace('pg_class c', 'pg_class c on c.oid = i.indexrelid')},
    lateral (select case when i.indisvalid then regexp_replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') else pg_get_indexdef(i.indexrelid) end def) l
    where not c.relispartition and not {BEHIND_CONSTRAINT} and {OWN_CLASS} order by c.oid"""
# They come and go with the index of the partitioned table, under names of Postgres' choice (manual, 5.12.2.1).
PARTITION_INDEXES = f"""select 'partition index', h.inhparent::regclass || ' on ' || i.indrelid::regclass, {X}::text, '', '', ''
    from {CLASS} join pg_index i on i.indexrelid = c.oid join pg_inherits h on h.inhrelid = c.oid
    where c.relkind in ('i', 'I') and c.relispartition and {OWN_CLASS}"""
REPLICA_IDENTITY = on_table(
    "replica identity",
    """case c.relreplident when 'i' then (select i.indexrelid::regclass::text from pg_index i where i.indrelid = c.oid and i.indisreplident)
        else c.relreplident::text end""",
    """case c.relreplident when 'f' then 'REPLICA IDENTITY FULL' when 'n' then 'REPLICA IDENTITY NOTHING'
        else 'REPLICA IDENTITY USING INDEX ' || (select quote_ident(x.relname) from pg_index i join pg_class x on x.oid = i.indexrelid
            where i.indrelid = c.oid and i.indisreplident) end""",
    "'REPLICA IDENTITY DEFAULT'", "c.relreplident <> 'd' and c.relkind in ('r', 'p')",
)  # fmt: skip
ROW_SECURITY = on_table("row security", "''", "'ENABLE ROW LEVEL SECURITY'", "'DISABLE ROW LEVEL SECURITY'", "c.relrowsecurity")
FORCED = on_table("forced row security", "''", "'FORCE ROW LEVEL SECURITY'", "'NO FORCE ROW LEVEL SECURITY'", "c.relforcerowsecurity")
CLUSTERED = f"""select 'cluster', {X}::text, i.indexrelid::regclass::text,
    'ALTER TABLE ' || {X} || ' CLUSTER ON ' || (select quote_ident(x.relname) from pg_class x where x.oid = i.indexrelid),
    'ALTER TABLE ' || {X} || ' SET WITHOUT CLUSTER', ''
    from {CLASS} join pg_index i on i.indrelid = c.oid and i.indisclustered where {OWN_CLASS}"""
