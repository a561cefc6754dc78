"""What several of the queries for definitions have in common: pieces of SQL."""

from __future__ import annotations

from neon_hooks.database.catalogue import NOT_OF_EXTENSION, OURS

# Neon's own, which are there without anybody's asking.
NEONS_EXTENSIONS = "('plpgsql', 'neon', 'neon_utils')"
PG15, PG17, PG18 = 150000, 170000, 180000
# The constructors and casts of a range type come and go with it.
NOT_INTERNAL = """not exists (select from pg_depend d where d.classid = '{catalog}'::regclass and d.objid = {oid} and d.deptype = 'i')"""
CLASS = "pg_class c join pg_namespace n on n.oid = c.relnamespace"
X = "c.oid::regclass"


def owned(catalog: str, oid: str) -> str:
    return f"{OURS} and {NOT_OF_EXTENSION.format(catalog=catalog, oid=oid)}"


OWN_CLASS = owned("pg_class", "c.oid")
COLUMNS = f"""from pg_attribute a join {CLASS} join pg_type t on t.oid = a.atttypid
    left join pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
    where c.relkind in ('r', 'p', 'f') and a.attnum > 0 and not a.attisdropped and {OWN_CLASS} order by c.oid, a.attnum""".replace(
    "join pg_namespace n on n.oid = c.relnamespace join", "on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace join"
)


def on_table(kind: str, text: str, create: str, drop: str, where: str, alter: str = "''") -> str:
    begin = f"'ALTER TABLE ' || {X} || ' ' || "
    altered = f"{begin}{alter}" if alter != "''" else "''"
    return f"""select '{kind}', {X}::text, {text}, {begin}{create}, {begin}{drop}, {altered}
        from {CLASS} where {OWN_CLASS} and {where}"""


SEQUENCE_OPTIONS = """' AS ' || s.seqtypid::regtype || ' START WITH ' || s.seqstart || ' INCREMENT BY ' || s.seqincrement
    || ' MINVALUE ' || s.seqmin || ' MAXVALUE ' || s.seqmax || ' CACHE ' || s.seqcache
    || case when s.seqcycle then ' CYCLE' else ' NO CYCLE' end"""
FOREIGN_OPTIONS = """coalesce(' OPTIONS (' || (select string_agg(quote_ident(option_name) || ' ' || quote_literal(option_value), ', ' order by option_name)
    from pg_options_to_table({options})) || ')', '')"""
OPTIONS_OF = """(select string_agg(quote_ident(option_name) || ' = ' || quote_literal(option_value), ', ' order by option_name)
    from pg_options_to_table({options}))"""
STATE = "case {0} when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end"
