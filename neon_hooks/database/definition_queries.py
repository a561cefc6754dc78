"""The queries behind definitions.py: one for each kind of object, each with the columns kind, name, text, create, drop, alter.

Their order is one in which the objects can be made, as far as there is one: what refers to something later is
tried again. Expects an empty search_path, so that every name comes with its schema.
"""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.database.catalogue import NOT_OF_EXTENSION, OURS

# Neon's own, which are there without anybody's asking.
NEONS_EXTENSIONS = "('plpgsql', 'neon', 'neon_utils')"
PG15, PG17, PG18 = 150000, 170000, 180000

# The constructors and casts of a range type come and go with it.
NOT_INTERNAL = """not exists (select from pg_depend d where d.classid = '{catalog}'::regclass and d.objid = {oid} and d.deptype = 'i')"""
CLASS = "pg_class c join pg_namespace n on n.oid = c.relnamespace"
X = "c.oid::regclass"


def _own(catalog: str, oid: str) -> str:
    return f"{OURS} and {NOT_OF_EXTENSION.format(catalog=catalog, oid=oid)}"


OWN_CLASS = _own("pg_class", "c.oid")
COLUMNS = f"""from pg_attribute a join {CLASS} join pg_type t on t.oid = a.atttypid
    left join pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
    where c.relkind in ('r', 'p', 'f') and a.attnum > 0 and not a.attisdropped and {OWN_CLASS} order by c.oid, a.attnum""".replace(
    "join pg_namespace n on n.oid = c.relnamespace join", "on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace join"
)
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


def _on_table(kind: str, text: str, create: str, drop: str, where: str, alter: str = "''") -> str:
    begin = f"'ALTER TABLE ' || {X} || ' ' || "
    altered = f"{begin}{alter}" if alter != "''" else "''"
    return f"""select '{kind}', {X}::text, {text}, {begin}{create}, {begin}{drop}, {altered}
        from {CLASS} where {OWN_CLASS} and {where}"""


def _named_only(kind: str, catalog: str, namespace: str = "", where: str = "true") -> str:
    """Objects that we notice and name, and know no statement for. OIDs of what somebody made differ by chance."""
    join = f"join pg_namespace n on n.oid = o.{namespace}" if namespace else ""
    own = _own(catalog, "o.oid") if namespace else NOT_OF_EXTENSION.format(catalog=catalog, oid="o.oid")
    return f"""select '{kind}', i.identity, (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(o)) where key !~ 'owner$|acl$'
            and (jsonb_typeof(value) <> 'number' or value::text::numeric < 16384))::text, '', '', ''
        from {catalog} o {join}, lateral pg_identify_object('{catalog}'::regclass, o.oid, 0) i
        where o.oid >= 16384 and {own} and {where}"""


SCHEMAS = f"""select 'schema', quote_ident(n.nspname), '', format('CREATE SCHEMA %I', n.nspname),
    format('DROP SCHEMA %I', n.nspname), '' from pg_namespace n where {_own('pg_namespace', 'n.oid')} order by 2"""
EXTENSIONS = f"""select 'extension', quote_ident(e.extname), n.nspname,
    format('CREATE EXTENSION %I WITH SCHEMA %I', e.extname, n.nspname), format('DROP EXTENSION %I', e.extname),
    case when e.extrelocatable then format('ALTER EXTENSION %I SET SCHEMA %I', e.extname, n.nspname) end
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname not in {NEONS_EXTENSIONS} order by e.oid"""
COLLATIONS = f"""select 'collation', o.oid::regcollation::text, to_jsonb(o)::jsonb
        - array['oid', 'collowner', 'collnamespace', 'collversion'] || '{{}}',
    'CREATE COLLATION ' || o.oid::regcollation || ' (PROVIDER = ' || case o.collprovider when 'c' then 'libc' when 'i' then 'icu' else 'builtin' end
        || case o.collprovider when 'c' then ', LC_COLLATE = ' || quote_literal(o.collcollate) || ', LC_CTYPE = ' || quote_literal(o.collctype)
           else ', LOCALE = ' || quote_literal(coalesce(j ->> 'colllocale', j ->> 'colliculocale', j ->> 'collcollate')) end
        || case when o.collisdeterministic then '' else ', DETERMINISTIC = false' end
        || coalesce(', RULES = ' || quote_literal(j ->> 'collicurules'), '') || ')',
    'DROP COLLATION ' || o.oid::regcollation, ''
    from pg_collation o join pg_namespace n on n.oid = o.collnamespace, lateral to_jsonb(o) j where {_own('pg_collation', 'o.oid')}"""
ENUMS = f"""select 'enum', t.oid::regtype::text, labels::text,
    'CREATE TYPE ' || t.oid::regtype || ' AS ENUM (' || array_to_string(array(select quote_literal(l) from unnest(labels) l), ', ') || ')',
    'DROP TYPE ' || t.oid::regtype, ''
    from pg_type t join pg_namespace n on n.oid = t.typnamespace,
    lateral (select array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder) labels) l
    where t.typtype = 'e' and {_own('pg_type', 't.oid')} order by t.oid"""
DOMAINS = f"""select 'domain', t.oid::regtype::text, format_type(t.typbasetype, t.typtypmod)
        || case when t.typcollation <> b.typcollation then ' COLLATE ' || t.typcollation::regcollation else '' end,
    'CREATE DOMAIN ' || t.oid::regtype || ' AS ' || format_type(t.typbasetype, t.typtypmod)
        || case when t.typcollation <> b.typcollation then ' COLLATE ' || t.typcollation::regcollation else '' end,
    'DROP DOMAIN ' || t.oid::regtype, ''
    from pg_type t join pg_namespace n on n.oid = t.typnamespace join pg_type b on b.oid = t.typbasetype
    where t.typtype = 'd' and {_own('pg_type', 't.oid')} order by t.oid"""
DOMAIN_DEFAULTS = f"""select 'domain default', t.oid::regtype::text, t.typdefault,
    'ALTER DOMAIN ' || t.oid::regtype || ' SET DEFAULT ' || t.typdefault,
    'ALTER DOMAIN ' || t.oid::regtype || ' DROP DEFAULT', 'ALTER DOMAIN ' || t.oid::regtype || ' SET DEFAULT ' || t.typdefault
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typtype = 'd' and t.typdefault is not null and {_own('pg_type', 't.oid')}"""
DOMAIN_CONSTRAINTS = f"""select 'domain constraint', r.contypid::regtype || '.' || quote_ident(r.conname), pg_get_constraintdef(r.oid),
    'ALTER DOMAIN ' || r.contypid::regtype || ' ADD CONSTRAINT ' || quote_ident(r.conname) || ' ' || pg_get_constraintdef(r.oid),
    'ALTER DOMAIN ' || r.contypid::regtype || ' DROP CONSTRAINT ' || quote_ident(r.conname), ''
    from pg_constraint r join pg_namespace n on n.oid = r.connamespace
    where r.contypid <> 0 and r.contype = 'c' and {_own('pg_type', 'r.contypid')}"""


def _domain_not_null(version: int) -> str:
    """Since Postgres 17 a constraint with a name, which pg_dump says since then."""
    name = "(select quote_ident(r.conname) from pg_constraint r where r.contypid = t.oid and r.contype = 'n')" if version >= PG17 else "null"
    return f"""select 'domain not null', t.oid::regtype::text, {name},
        'ALTER DOMAIN ' || t.oid::regtype || coalesce(' ADD CONSTRAINT ' || {name} || ' NOT NULL', ' SET NOT NULL'),
        'ALTER DOMAIN ' || t.oid::regtype || ' DROP NOT NULL', ''
        from pg_type t join pg_namespace n on n.oid = t.typnamespace
        where t.typtype = 'd' and t.typnotnull and {_own('pg_type', 't.oid')}"""


COMPOSITES = f"""select 'composite type', t.oid::regtype::text, attributes, 'CREATE TYPE ' || t.oid::regtype || ' AS (' || attributes || ')',
    'DROP TYPE ' || t.oid::regtype, ''
    from pg_type t join pg_class c on c.oid = t.typrelid and c.relkind = 'c' join pg_namespace n on n.oid = t.typnamespace,
    lateral (select coalesce(string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
               || case when a.attcollation <> b.typcollation then ' COLLATE ' || a.attcollation::regcollation else '' end,
             ', ' order by a.attnum), '') attributes
             from pg_attribute a join pg_type b on b.oid = a.atttypid
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) l
    where {_own('pg_type', 't.oid')} order by t.oid"""
RANGES = f"""select 'range type', r.rngtypid::regtype::text, def, 'CREATE TYPE ' || r.rngtypid::regtype || ' AS RANGE (' || def || ')',
    'DROP TYPE ' || r.rngtypid::regtype, ''
    from pg_range r join pg_type t on t.oid = r.rngtypid join pg_namespace n on n.oid = t.typnamespace
    join pg_type s on s.oid = r.rngsubtype join pg_opclass o on o.oid = r.rngsubopc join pg_namespace m on m.oid = o.opcnamespace,
    lateral (select 'SUBTYPE = ' || r.rngsubtype::regtype || ', SUBTYPE_OPCLASS = ' || quote_ident(m.nspname) || '.' || quote_ident(o.opcname)
        || case when r.rngcollation <> 0 then ', COLLATION = ' || r.rngcollation::regcollation else '' end
        || case when r.rngsubdiff <> 0 then ', SUBTYPE_DIFF = ' || r.rngsubdiff::regproc else '' end
        || case when r.rngcanonical <> 0 then ', CANONICAL = ' || r.rngcanonical::regproc else '' end
        || ', MULTIRANGE_TYPE_NAME = ' || r.rngmultitypid::regtype def) l
    where {_own('pg_type', 't.oid')} order by t.oid"""
SEQUENCE_OPTIONS = """' AS ' || s.seqtypid::regtype || ' START WITH ' || s.seqstart || ' INCREMENT BY ' || s.seqincrement
    || ' MINVALUE ' || s.seqmin || ' MAXVALUE ' || s.seqmax || ' CACHE ' || s.seqcache
    || case when s.seqcycle then ' CYCLE' else ' NO CYCLE' end"""
SEQUENCES = f"""select 'sequence', {X}::text, {SEQUENCE_OPTIONS},
    case when i.objid is null then 'CREATE SEQUENCE ' || {X} || {SEQUENCE_OPTIONS} end,
    case when i.objid is null then 'DROP SEQUENCE ' || {X} end, 'ALTER SEQUENCE ' || {X} || {SEQUENCE_OPTIONS}
    from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_depend i on i.classid = 'pg_class'::regclass and i.objid = c.oid and i.deptype = 'i' and i.refobjsubid > 0
    where {OWN_CLASS} order by c.oid"""
# Like the table that owns them, unless somebody says otherwise (Postgres 15).
UNLOGGED_SEQUENCES = f"""select 'unlogged sequence', {X}::text, '', 'ALTER SEQUENCE ' || {X} || ' SET UNLOGGED', 'ALTER SEQUENCE ' || {X} || ' SET LOGGED', ''
    from {CLASS} where c.relkind = 'S' and c.relpersistence = 'u' and {OWN_CLASS}"""
SEQUENCE_OWNERS = f"""select 'sequence owner', {X}::text, i.refobjid::regclass || '.' || quote_ident(a.attname),
    'ALTER SEQUENCE ' || {X} || ' OWNED BY ' || i.refobjid::regclass || '.' || quote_ident(a.attname),
    'ALTER SEQUENCE ' || {X} || ' OWNED BY NONE',
    'ALTER SEQUENCE ' || {X} || ' OWNED BY ' || i.refobjid::regclass || '.' || quote_ident(a.attname)
    from {CLASS} join pg_depend i on i.classid = 'pg_class'::regclass and i.objid = c.oid and i.deptype = 'a'
      and i.refclassid = 'pg_class'::regclass and i.refobjsubid > 0
    join pg_attribute a on a.attrelid = i.refobjid and a.attnum = i.refobjsubid
    where c.relkind = 'S' and {OWN_CLASS}"""
FUNCTIONS = f"""select case p.prokind when 'p' then 'procedure' else 'function' end, p.oid::regprocedure::text, def, def,
    case p.prokind when 'p' then 'DROP PROCEDURE ' else 'DROP FUNCTION ' end || p.oid::regprocedure, def
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
    lateral (select case p.prokind when 'a' then '' else rtrim(pg_get_functiondef(p.oid), E' \\n') end def) l
    where p.prokind <> 'a' and {NOT_INTERNAL.format(catalog='pg_proc', oid='p.oid')} and {_own('pg_proc', 'p.oid')} order by p.oid"""
AGGREGATES = f"""select 'aggregate', p.oid::regprocedure::text, def, 'CREATE AGGREGATE ' || def, 'DROP AGGREGATE ' || p.oid::regprocedure,
    'CREATE OR REPLACE AGGREGATE ' || def
    from pg_aggregate g join pg_proc p on p.oid = g.aggfnoid join pg_namespace n on n.oid = p.pronamespace,
    lateral (select quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '('
        || case when pg_get_function_arguments(p.oid) = '' then '*' else pg_get_function_arguments(p.oid) end || ') (SFUNC = ' || g.aggtransfn
        || ', STYPE = ' || g.aggtranstype::regtype
        || case when g.aggtransspace <> 0 then ', SSPACE = ' || g.aggtransspace else '' end
        || case when g.aggfinalfn <> 0 then ', FINALFUNC = ' || g.aggfinalfn else '' end
        || case when g.aggfinalextra then ', FINALFUNC_EXTRA' else '' end
        || case when g.aggfinalfn <> 0 then ', FINALFUNC_MODIFY = ' || case g.aggfinalmodify when 'r' then 'READ_ONLY' when 's' then 'SHAREABLE' else 'READ_WRITE' end else '' end
        || case when g.aggcombinefn <> 0 then ', COMBINEFUNC = ' || g.aggcombinefn else '' end
        || case when g.aggserialfn <> 0 then ', SERIALFUNC = ' || g.aggserialfn else '' end
        || case when g.aggdeserialfn <> 0 then ', DESERIALFUNC = ' || g.aggdeserialfn else '' end
        || coalesce(', INITCOND = ' || quote_literal(g.agginitval), '')
        || case when g.aggmtransfn <> 0 then ', MSFUNC = ' || g.aggmtransfn || ', MINVFUNC = ' || g.aggminvtransfn || ', MSTYPE = ' || g.aggmtranstype::regtype else '' end
        || case when g.aggmfinalfn <> 0 then ', MFINALFUNC = ' || g.aggmfinalfn else '' end
        || coalesce(', MINITCOND = ' || quote_literal(g.aggminitval), '')
        || case when g.aggsortop <> 0 then ', SORTOP = OPERATOR(' || (select q.nspname || '.' || o.oprname from pg_operator o
             join pg_namespace q on q.oid = o.oprnamespace where o.oid = g.aggsortop) || ')' else '' end
        || ', PARALLEL = ' || case p.proparallel when 's' then 'SAFE' when 'r' then 'RESTRICTED' else 'UNSAFE' end
        || case g.aggkind when 'h' then ', HYPOTHETICAL' else '' end || ')' def) l
    where {_own('pg_proc', 'p.oid')} order by p.oid"""
OPERATORS = f"""select 'operator', o.oid::regoperator::text, def, 'CREATE OPERATOR ' || quote_ident(n.nspname) || '.' || o.oprname || ' (' || def || ')',
    'DROP OPERATOR ' || quote_ident(n.nspname) || '.' || o.oprname || ' (' || case o.oprleft when 0 then 'NONE' else o.oprleft::regtype::text end || ', ' || o.oprright::regtype || ')', ''
    from pg_operator o join pg_namespace n on n.oid = o.oprnamespace,
    lateral (select 'FUNCTION = ' || o.oprcode || case o.oprleft when 0 then '' else ', LEFTARG = ' || o.oprleft::regtype end
        || ', RIGHTARG = ' || o.oprright::regtype
        || coalesce((select ', COMMUTATOR = OPERATOR(' || m.nspname || '.' || x.oprname || ')' from pg_operator x join pg_namespace m on m.oid = x.oprnamespace where x.oid = o.oprcom), '')
        || coalesce((select ', NEGATOR = OPERATOR(' || m.nspname || '.' || x.oprname || ')' from pg_operator x join pg_namespace m on m.oid = x.oprnamespace where x.oid = o.oprnegate), '')
        || case when o.oprrest <> 0 then ', RESTRICT = ' || o.oprrest else '' end
        || case when o.oprjoin <> 0 then ', JOIN = ' || o.oprjoin else '' end
        || case when o.oprcanhash then ', HASHES' else '' end || case when o.oprcanmerge then ', MERGES' else '' end def) l
    where o.oprcode <> 0 and {_own('pg_operator', 'o.oid')} order by o.oid"""
CASTS = """select 'cast', k.castsource::regtype || ' AS ' || k.casttarget::regtype, def,
    'CREATE CAST (' || k.castsource::regtype || ' AS ' || k.casttarget::regtype || ') ' || def,
    'DROP CAST (' || k.castsource::regtype || ' AS ' || k.casttarget::regtype || ')', ''
    from pg_cast k, lateral (select case k.castmethod when 'f' then 'WITH FUNCTION ' || k.castfunc::regprocedure when 'i' then 'WITH INOUT' else 'WITHOUT FUNCTION' end
        || case k.castcontext when 'a' then ' AS ASSIGNMENT' when 'i' then ' AS IMPLICIT' else '' end def) l
    where k.oid >= 16384 and """ + NOT_INTERNAL.format(catalog="pg_cast", oid="k.oid") + " and " + NOT_OF_EXTENSION.format(catalog="pg_cast", oid="k.oid")
TEXT_SEARCH = f"""select 'text search dictionary', y.oid::regdictionary::text, def,
    'CREATE TEXT SEARCH DICTIONARY ' || y.oid::regdictionary || ' (' || def || ')', 'DROP TEXT SEARCH DICTIONARY ' || y.oid::regdictionary, ''
    from pg_ts_dict y join pg_namespace n on n.oid = y.dictnamespace join pg_ts_template m on m.oid = y.dicttemplate
    join pg_namespace q on q.oid = m.tmplnamespace,
    lateral (select 'TEMPLATE = ' || quote_ident(q.nspname) || '.' || quote_ident(m.tmplname) || coalesce(', ' || y.dictinitoption, '') def) l
    where {_own('pg_ts_dict', 'y.oid')}"""
TEXT_SEARCH_CONFIGURATIONS = f"""select 'text search configuration', f.oid::regconfig::text, q.nspname || '.' || p.prsname,
    'CREATE TEXT SEARCH CONFIGURATION ' || f.oid::regconfig || ' (PARSER = ' || quote_ident(q.nspname) || '.' || quote_ident(p.prsname) || ')',
    'DROP TEXT SEARCH CONFIGURATION ' || f.oid::regconfig, ''
    from pg_ts_config f join pg_namespace n on n.oid = f.cfgnamespace join pg_ts_parser p on p.oid = f.cfgparser
    join pg_namespace q on q.oid = p.prsnamespace where {_own('pg_ts_config', 'f.oid')}"""
TEXT_SEARCH_MAPPINGS = f"""select 'text search mapping', f.oid::regconfig || '.' || k.alias, dicts,
    'ALTER TEXT SEARCH CONFIGURATION ' || f.oid::regconfig || ' ADD MAPPING FOR ' || k.alias || ' WITH ' || dicts,
    'ALTER TEXT SEARCH CONFIGURATION ' || f.oid::regconfig || ' DROP MAPPING FOR ' || k.alias,
    'ALTER TEXT SEARCH CONFIGURATION ' || f.oid::regconfig || ' ALTER MAPPING FOR ' || k.alias || ' WITH ' || dicts
    from pg_ts_config f join pg_namespace n on n.oid = f.cfgnamespace, lateral ts_token_type(f.cfgparser) k,
    lateral (select string_agg(m.mapdict::regdictionary::text, ', ' order by m.mapseqno) dicts from pg_ts_config_map m
             where m.mapcfg = f.oid and m.maptokentype = k.tokid) l
    where dicts is not null and {_own('pg_ts_config', 'f.oid')}"""
FOREIGN_OPTIONS = """coalesce(' OPTIONS (' || (select string_agg(quote_ident(option_name) || ' ' || quote_literal(option_value), ', ' order by option_name)
    from pg_options_to_table({options})) || ')', '')"""
SERVERS = f"""select 'server', quote_ident(s.srvname), def, 'CREATE SERVER ' || quote_ident(s.srvname) || def, 'DROP SERVER ' || quote_ident(s.srvname), ''
    from pg_foreign_server s join pg_foreign_data_wrapper w on w.oid = s.srvfdw,
    lateral (select coalesce(' TYPE ' || quote_literal(s.srvtype), '') || coalesce(' VERSION ' || quote_literal(s.srvversion), '')
        || ' FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname) || {FOREIGN_OPTIONS.format(options='s.srvoptions')} def) l
    where {NOT_OF_EXTENSION.format(catalog='pg_foreign_server', oid='s.oid')}"""

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


def _tables(version: int) -> str:
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


def _columns(version: int) -> str:
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


def _not_null(version: int) -> str:
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
TYPED = _on_table(
    "typed table", "c.reloftype::regtype::text", "'OF ' || c.reloftype::regtype", "'NOT OF'", "c.reloftype <> 0", "'OF ' || c.reloftype::regtype"
)
# Their options can be passwords: nothing writes those into a file.
USER_MAPPINGS = """select 'user mapping', coalesce(quote_ident(usename), 'PUBLIC') || ' on ' || quote_ident(srvname), coalesce(umoptions::text, ''), '', '', ''
    from pg_user_mappings"""
OPTIONS_OF = """(select string_agg(quote_ident(option_name) || ' = ' || quote_literal(option_value), ', ' order by option_name)
    from pg_options_to_table({options}))"""


def _options(kind: str, where: str, word: str) -> str:
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
REPLICA_IDENTITY = _on_table(
    "replica identity",
    """case c.relreplident when 'i' then (select i.indexrelid::regclass::text from pg_index i where i.indrelid = c.oid and i.indisreplident)
        else c.relreplident::text end""",
    """case c.relreplident when 'f' then 'REPLICA IDENTITY FULL' when 'n' then 'REPLICA IDENTITY NOTHING'
        else 'REPLICA IDENTITY USING INDEX ' || (select quote_ident(x.relname) from pg_index i join pg_class x on x.oid = i.indexrelid
            where i.indrelid = c.oid and i.indisreplident) end""",
    "'REPLICA IDENTITY DEFAULT'", "c.relreplident <> 'd' and c.relkind in ('r', 'p')",
)  # fmt: skip
ROW_SECURITY = _on_table("row security", "''", "'ENABLE ROW LEVEL SECURITY'", "'DISABLE ROW LEVEL SECURITY'", "c.relrowsecurity")
FORCED = _on_table("forced row security", "''", "'FORCE ROW LEVEL SECURITY'", "'NO FORCE ROW LEVEL SECURITY'", "c.relforcerowsecurity")
CLUSTERED = f"""select 'cluster', {X}::text, i.indexrelid::regclass::text,
    'ALTER TABLE ' || {X} || ' CLUSTER ON ' || (select quote_ident(x.relname) from pg_class x where x.oid = i.indexrelid),
    'ALTER TABLE ' || {X} || ' SET WITHOUT CLUSTER', ''
    from {CLASS} join pg_index i on i.indrelid = c.oid and i.indisclustered where {OWN_CLASS}"""
VIEW_BODY = f"""{X} || coalesce(' WITH (' || {OPTIONS_OF.format(options='c.reloptions')} || ')', '') || E' AS\\n'
    || rtrim(pg_get_viewdef(c.oid), ';')"""
VIEWS = f"""select 'view', {X}::text, {VIEW_BODY}, 'CREATE VIEW ' || {VIEW_BODY}, 'DROP VIEW ' || {X}, 'CREATE OR REPLACE VIEW ' || {VIEW_BODY}
    from {CLASS} where c.relkind = 'v' and {OWN_CLASS} order by c.oid"""
# Whether it is filled is no part of a schema: REFRESH changes it.
MATERIALIZED = f"""select 'materialized view', {X}::text, pg_get_viewdef(c.oid),
    'CREATE MATERIALIZED VIEW ' || {VIEW_BODY} || case when c.relispopulated then '' else ' WITH NO DATA' end, 'DROP MATERIALIZED VIEW ' || {X}, ''
    from {CLASS} where c.relkind = 'm' and {OWN_CLASS} order by c.oid"""
TRIGGERS = f"""select 'trigger', quote_ident(g.tgname) || ' on ' || {X}, pg_get_triggerdef(g.oid), pg_get_triggerdef(g.oid),
    'DROP TRIGGER ' || quote_ident(g.tgname) || ' ON ' || {X}, ''
    from pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where not g.tgisinternal and g.tgparentid = 0 and {OWN_CLASS} order by g.oid"""
STATE = "case {0} when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end"
TRIGGER_STATES = f"""select 'trigger state', quote_ident(g.tgname) || ' on ' || {X}, g.tgenabled::text,
    'ALTER TABLE ' || {X} || ' ' || {STATE.format('g.tgenabled')} || ' TRIGGER ' || quote_ident(g.tgname),
    'ALTER TABLE ' || {X} || ' ENABLE TRIGGER ' || quote_ident(g.tgname),
    'ALTER TABLE ' || {X} || ' ' || {STATE.format('g.tgenabled')} || ' TRIGGER ' || quote_ident(g.tgname)
    from pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where not g.tgisinternal and g.tgenabled <> 'O' and {OWN_CLASS}"""
RULES = f"""select 'rule', quote_ident(r.rulename) || ' on ' || {X}, pg_get_ruledef(r.oid), rtrim(pg_get_ruledef(r.oid), ';'),
    'DROP RULE ' || quote_ident(r.rulename) || ' ON ' || {X}, replace(rtrim(pg_get_ruledef(r.oid), ';'), 'CREATE RULE', 'CREATE OR REPLACE RULE')
    from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
    where r.rulename <> '_RETURN' and {OWN_CLASS}"""
RULE_STATES = f"""select 'rule state', quote_ident(r.rulename) || ' on ' || {X}, r.ev_enabled::text,
    'ALTER TABLE ' || {X} || ' ' || {STATE.format('r.ev_enabled')} || ' RULE ' || quote_ident(r.rulename),
    'ALTER TABLE ' || {X} || ' ENABLE RULE ' || quote_ident(r.rulename), ''
    from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
    where r.ev_enabled <> 'O' and {OWN_CLASS}"""
# Functions, triggers, indexes and materialized views that an extension takes with it when it goes.
EXTENSION_DEPENDENCIES = """select 'extension dependency', upper(i.type) || ' ' || i.identity || ' ' || quote_ident(e.extname), '',
    'ALTER ' || upper(i.type) || ' ' || i.identity || ' DEPENDS ON EXTENSION ' || quote_ident(e.extname),
    'ALTER ' || upper(i.type) || ' ' || i.identity || ' NO DEPENDS ON EXTENSION ' || quote_ident(e.extname), ''
    from pg_depend d join pg_extension e on e.oid = d.refobjid, lateral pg_identify_object(d.classid, d.objid, 0) i
    where d.refclassid = 'pg_extension'::regclass and d.deptype = 'x'"""
POLICIES = f"""select 'policy', quote_ident(p.polname) || ' on ' || {X}, def, 'CREATE POLICY ' || quote_ident(p.polname) || ' ON ' || {X} || def,
    'DROP POLICY ' || quote_ident(p.polname) || ' ON ' || {X}, ''
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace,
    lateral (select case when p.polpermissive then '' else ' AS RESTRICTIVE' end
        || ' FOR ' || case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' else 'ALL' end
        || ' TO ' || (select string_agg(case r when 0 then 'PUBLIC' else r::regrole::text end, ', ' order by 1) from unnest(p.polroles) r)
        || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
        || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '') def) l
    where {OWN_CLASS} order by p.oid"""
STATISTICS = f"""select 'statistics', quote_ident(n.nspname) || '.' || quote_ident(s.stxname), pg_get_statisticsobjdef(s.oid), pg_get_statisticsobjdef(s.oid),
    'DROP STATISTICS ' || quote_ident(n.nspname) || '.' || quote_ident(s.stxname), ''
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where {_own('pg_statistic_ext', 's.oid')}"""
STATISTICS_TARGETS = f"""select 'statistics object target', quote_ident(n.nspname) || '.' || quote_ident(s.stxname), s.stxstattarget::text,
    'ALTER STATISTICS ' || quote_ident(n.nspname) || '.' || quote_ident(s.stxname) || ' SET STATISTICS ' || s.stxstattarget,
    'ALTER STATISTICS ' || quote_ident(n.nspname) || '.' || quote_ident(s.stxname) || ' SET STATISTICS -1',
    'ALTER STATISTICS ' || quote_ident(n.nspname) || '.' || quote_ident(s.stxname) || ' SET STATISTICS ' || s.stxstattarget
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where coalesce(s.stxstattarget, -1) >= 0 and {_own('pg_statistic_ext', 's.oid')}"""
EVENT_TRIGGERS = """select 'event trigger', quote_ident(evtname), def, 'CREATE EVENT TRIGGER ' || quote_ident(evtname) || def,
    'DROP EVENT TRIGGER ' || quote_ident(evtname), ''
    from pg_event_trigger v, lateral (select ' ON ' || evtevent || coalesce(' WHEN TAG IN (' || (select string_agg(quote_literal(t), ', ')
        from unnest(evttags) t) || ')', '') || ' EXECUTE FUNCTION ' || evtfoid::regprocedure def) l
    where """ + NOT_OF_EXTENSION.format(catalog="pg_event_trigger", oid="v.oid")
EVENT_TRIGGER_STATES = """select 'event trigger state', quote_ident(evtname), evtenabled::text,
    'ALTER EVENT TRIGGER ' || quote_ident(evtname) || ' ' || case evtenabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end,
    'ALTER EVENT TRIGGER ' || quote_ident(evtname) || ' ENABLE', '' from pg_event_trigger where evtenabled <> 'O'"""


def _publications(version: int) -> Iterator[str]:
    generated = ", pubgencols::text" if version >= PG18 else ""
    published = """array_to_string(array_remove(array[case when pubinsert then 'insert' end, case when pubupdate then 'update' end,
        case when pubdelete then 'delete' end, case when pubtruncate then 'truncate' end], null), ', ')"""
    options = f"'publish = ' || quote_literal({published}) || ', publish_via_partition_root = ' || pubviaroot"
    if generated:
        options += " || ', publish_generated_columns = ' || case pubgencols when 's' then 'stored' else 'none' end"
    yield f"""select 'publication', quote_ident(pubname), puballtables::text, 'CREATE PUBLICATION ' || quote_ident(pubname)
        || case when puballtables then ' FOR ALL TABLES' else '' end || ' WITH (' || {options} || ')',
        'DROP PUBLICATION ' || quote_ident(pubname), '' from pg_publication"""
    # Of the same publication, but they can be altered.
    yield f"""select 'publication options', quote_ident(pubname), {options}, 'ALTER PUBLICATION ' || quote_ident(pubname) || ' SET (' || {options} || ')', '',
        'ALTER PUBLICATION ' || quote_ident(pubname) || ' SET (' || {options} || ')' from pg_publication"""
    more = "''"
    if version >= PG15:
        more = """coalesce(' (' || (select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
              where a.attrelid = r.prrelid and a.attnum = any (r.prattrs)) || ')', '') || coalesce(' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')', '')"""
        yield """select 'publication schema', quote_ident(p.pubname) || ' ' || s.pnnspid::regnamespace, '',
            'ALTER PUBLICATION ' || quote_ident(p.pubname) || ' ADD TABLES IN SCHEMA ' || s.pnnspid::regnamespace,
            'ALTER PUBLICATION ' || quote_ident(p.pubname) || ' DROP TABLES IN SCHEMA ' || s.pnnspid::regnamespace, ''
            from pg_publication_namespace s join pg_publication p on p.oid = s.pnpubid"""
    yield f"""select 'publication table', quote_ident(p.pubname) || ' ' || r.prrelid::regclass, {more},
        'ALTER PUBLICATION ' || quote_ident(p.pubname) || ' ADD TABLE ' || r.prrelid::regclass || {more},
        'ALTER PUBLICATION ' || quote_ident(p.pubname) || ' DROP TABLE ' || r.prrelid::regclass, ''
        from pg_publication_rel r join pg_publication p on p.oid = r.prpubid"""


# What COMMENT calls the kinds of objects that pg_identify_object names in another way.
COMMENT_WORDS = """case i.type when 'table column' then 'COLUMN' when 'view column' then 'COLUMN' when 'materialized view column' then 'COLUMN'
    when 'foreign table column' then 'COLUMN' when 'composite type column' then 'COLUMN' when 'table constraint' then 'CONSTRAINT'
    when 'domain constraint' then 'CONSTRAINT' when 'composite type' then 'TYPE' when 'statistics object' then 'STATISTICS' else upper(i.type) end"""
COMMENTS = f"""select 'comment', {COMMENT_WORDS} || ' ' || l.identity, d.description,
    'COMMENT ON ' || {COMMENT_WORDS} || ' ' || l.identity || ' IS ' || quote_literal(d.description),
    'COMMENT ON ' || {COMMENT_WORDS} || ' ' || l.identity || ' IS NULL',
    'COMMENT ON ' || {COMMENT_WORDS} || ' ' || l.identity || ' IS ' || quote_literal(d.description)
    from pg_description d, lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) i,
    lateral (select case i.type when 'domain constraint' then regexp_replace(i.identity, ' on (.*)$', ' ON DOMAIN \\1') else i.identity end identity) l
    where (i.schema is null or (i.schema !~ '^pg_' and i.schema <> 'information_schema')) and i.identity !~ '^pg_'
      and (d.objoid >= 16384 or (d.classoid = 'pg_namespace'::regclass and d.description <> 'standard public schema'))
      and not exists (select from pg_depend x where x.classid = d.classoid and x.objid = d.objoid and x.deptype = 'e')
      and not exists (select from pg_extension x where d.classoid = 'pg_extension'::regclass and x.oid = d.objoid
        and d.description is not distinct from (select v.comment from pg_available_extensions v where v.name = x.extname))"""


def _privileges(kind: str, acl: str, default: str, owner: str, word: str, name: str, rest: str, column: str = "") -> str:
    """Each privilege of each grantee is an object; an owner's are the owner's, whoever that is."""
    grantee = "case g.grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(g.grantee)) end"
    shown = f"case when g.grantee = {owner} then 'the owner' else {grantee} end"
    on = f"g.privilege_type || {column or chr(39) * 2} || ' ON {word} ' || {name}"
    return f"""select 'privilege', {on} || ' TO ' || {shown}, g.is_grantable::text,
        'GRANT ' || {on} || ' TO ' || {grantee} || case when g.is_grantable then ' WITH GRANT OPTION' else '' end,
        'REVOKE ' || {on} || ' FROM ' || {grantee}, ''
        from {rest.replace(' where ', f", lateral aclexplode(coalesce({acl}, {default})) g where ", 1)}"""


def _all_privileges() -> Iterator[str]:
    yield _privileges("schema", "n.nspacl", "acldefault('n', n.nspowner)", "n.nspowner", "SCHEMA", "quote_ident(n.nspname)",
                      f"pg_namespace n where {_own('pg_namespace', 'n.oid')}")  # fmt: skip
    yield _privileges("table", "c.relacl", "acldefault('r', c.relowner)", "c.relowner", "TABLE", X,
                      f"{CLASS} where c.relkind in ('r', 'p', 'v', 'm', 'f') and {OWN_CLASS}")  # fmt: skip
    yield _privileges("sequence", "c.relacl", "acldefault('s', c.relowner)", "c.relowner", "SEQUENCE", X,
                      f"{CLASS} where c.relkind = 'S' and {OWN_CLASS}")  # fmt: skip
    yield _privileges("column", "a.attacl", "'{}'", "c.relowner", "TABLE", X,
                      f"pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace"
                      f" where a.attacl is not null and a.attnum > 0 and not a.attisdropped and {OWN_CLASS}",
                      column="' (' || quote_ident(a.attname) || ')'")  # fmt: skip
    yield _privileges("routine", "p.proacl", "acldefault('f', p.proowner)", "p.proowner", "ROUTINE", "p.oid::regprocedure",
                      f"pg_proc p join pg_namespace n on n.oid = p.pronamespace where {NOT_INTERNAL.format(catalog='pg_proc', oid='p.oid')}"
                      f" and {_own('pg_proc', 'p.oid')}")  # fmt: skip
    yield _privileges("server", "s.srvacl", "acldefault('S', s.srvowner)", "s.srvowner", "FOREIGN SERVER", "quote_ident(s.srvname)",
                      f"pg_foreign_server s where {NOT_OF_EXTENSION.format(catalog='pg_foreign_server', oid='s.oid')}")  # fmt: skip
    yield _privileges("language", "l.lanacl", "acldefault('l', l.lanowner)", "l.lanowner", "LANGUAGE", "quote_ident(l.lanname)",
                      "pg_language l where l.lanpltrusted")  # fmt: skip
    yield _privileges("wrapper", "w.fdwacl", "acldefault('F', w.fdwowner)", "w.fdwowner", "FOREIGN DATA WRAPPER", "quote_ident(w.fdwname)",
                      f"pg_foreign_data_wrapper w where {NOT_OF_EXTENSION.format(catalog='pg_foreign_data_wrapper', oid='w.oid')}")  # fmt: skip
    # Arrays, multiranges and the rows of tables have no privileges of their own.
    yield _privileges("type", "t.typacl", "acldefault('T', t.typowner)", "t.typowner", "TYPE", "t.oid::regtype",
                      "pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid"
                      " where (t.typtype in ('d', 'e', 'r') or c.relkind = 'c' or (t.typtype = 'b'"
                      f" and not exists (select from pg_type e where e.typarray = t.oid))) and {_own('pg_type', 't.oid')}")  # fmt: skip


# Without a schema they take the place of the built-in ones, which can be revoked; in a schema they are added.
DEFAULT_PRIVILEGES = """select 'default privilege', begin_ || on_ || ' TO ' || to_, given,
    case given when 'revoked' then take || on_ || ' FROM ' || to_ else give end,
    case given when 'revoked' then give else take || on_ || ' FROM ' || to_ end, ''
    from pg_default_acl d, lateral (
        select coalesce(a.grantee, b.grantee) grantee, coalesce(a.privilege_type, b.privilege_type) privilege_type,
          case when a.grantee is null then 'revoked' when a.is_grantable then 'with grant option' else 'granted' end given
        from aclexplode(d.defaclacl) a full join (
          select x.* from aclexplode(acldefault(case d.defaclobjtype when 'S' then 's' else d.defaclobjtype end, d.defaclrole)) x where d.defaclnamespace = 0
        ) b on a.grantee = b.grantee and a.privilege_type = b.privilege_type
        where b.grantee is null or a.grantee is null or a.is_grantable <> b.is_grantable) g,
    lateral (select 'ALTER DEFAULT PRIVILEGES FOR ROLE ' || d.defaclrole::regrole
        || case d.defaclnamespace when 0 then '' else ' IN SCHEMA ' || d.defaclnamespace::regnamespace end || ' ' begin_,
      g.privilege_type || ' ON ' || case d.defaclobjtype when 'r' then 'TABLES' when 'S' then 'SEQUENCES' when 'f' then 'FUNCTIONS' when 'T' then 'TYPES'
        when 'L' then 'LARGE OBJECTS' else 'SCHEMAS' end on_, case g.grantee when 0 then 'PUBLIC' else g.grantee::regrole::text end to_) l,
    lateral (select begin_ || 'GRANT ' || on_ || ' TO ' || to_ || case given when 'with grant option' then ' WITH GRANT OPTION' else '' end give, begin_ || 'REVOKE ' take) m
    where pg_has_role(current_user, d.defaclrole, 'MEMBER')"""
NAMED_ONLY = (
    _named_only("operator class", "pg_opclass", "opcnamespace"),
    _named_only("operator family", "pg_opfamily", "opfnamespace"),
    _named_only("conversion", "pg_conversion", "connamespace"),
    _named_only("text search parser", "pg_ts_parser", "prsnamespace"),
    _named_only("text search template", "pg_ts_template", "tmplnamespace"),
    _named_only("foreign data wrapper", "pg_foreign_data_wrapper"),
    _named_only("language", "pg_language"),
    _named_only("transform", "pg_transform"),
    _named_only("access method", "pg_am"),
    _named_only("base type", "pg_type", "typnamespace", "o.typtype in ('b', 'p') and not exists (select from pg_type e where e.typarray = o.oid)"),
)


def queries(version: int) -> Iterator[str]:
    """``version`` is the server's, as in server_version_num."""
    yield from (SCHEMAS, EXTENSIONS, *NAMED_ONLY, COLLATIONS, ENUMS, DOMAINS, DOMAIN_DEFAULTS, _domain_not_null(version), DOMAIN_CONSTRAINTS)
    yield from (COMPOSITES, RANGES, SERVERS, USER_MAPPINGS, TEXT_SEARCH, TEXT_SEARCH_CONFIGURATIONS, TEXT_SEARCH_MAPPINGS, SEQUENCES)
    yield from (FUNCTIONS, AGGREGATES, OPERATORS, CASTS, _tables(version), _columns(version), SEQUENCE_OWNERS, UNLOGGED_SEQUENCES, DEFAULTS)
    yield from (IDENTITIES, _not_null(version), STORAGES, COMPRESSIONS, TARGETS, COLUMN_OPTIONS, FOREIGN_COLUMN_OPTIONS, PARTITIONS, CONSTRAINTS, TYPED, INDEX_TARGETS)
    yield _options("table", "c.relkind in ('r', 'p', 'f')", "TABLE")
    yield _options("materialized view", "c.relkind = 'm'", "MATERIALIZED VIEW")
    # The others say it in their definitions.
    yield _options("index", f"c.relkind in ('i', 'I') and (c.relispartition or {BEHIND_CONSTRAINT})", "INDEX")
    yield from (INDEXES, PARTITION_INDEXES, REPLICA_IDENTITY, CLUSTERED, ROW_SECURITY, FORCED, VIEWS, MATERIALIZED, RULES, RULE_STATES, TRIGGERS, TRIGGER_STATES)
    yield from (POLICIES, EXTENSION_DEPENDENCIES, STATISTICS, STATISTICS_TARGETS, EVENT_TRIGGERS, EVENT_TRIGGER_STATES, *_publications(version))
    yield from _all_privileges()
    yield from (DEFAULT_PRIVILEGES, COMMENTS)
