"""Definitions of what tables are made of, and of what stands beside them: schemas, extensions, types, sequences,
functions, operators, text search, foreign servers.
"""

from __future__ import annotations

from neon_hooks.database.catalogue import NOT_OF_EXTENSION
from neon_hooks.database.defining.parts import (
    CLASS, FOREIGN_OPTIONS, NEONS_EXTENSIONS, NOT_INTERNAL, OWN_CLASS, PG17, SEQUENCE_OPTIONS, X, owned,
)  # fmt: skip


def _named_only(kind: str, catalog: str, namespace: str = "", where: str = "true") -> str:
    """Objects that we notice and name, and know no statement for. OIDs of what somebody made differ by chance."""
    join = f"join pg_namespace n on n.oid = o.{namespace}" if namespace else ""
    own = owned(catalog, "o.oid") if namespace else NOT_OF_EXTENSION.format(catalog=catalog, oid="o.oid")
    return f"""select '{kind}', i.identity, (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(o)) where key !~ 'owner$|acl$'
            and (jsonb_typeof(value) <> 'number' or value::text::numeric < 16384))::text, '', '', ''
        from {catalog} o {join}, lateral pg_identify_object('{catalog}'::regclass, o.oid, 0) i
        where o.oid >= 16384 and {own} and {where}"""


SCHEMAS = f"""select 'schema', quote_ident(n.nspname), '', format('CREATE SCHEMA %I', n.nspname),
    format('DROP SCHEMA %I', n.nspname), '' from pg_namespace n where {owned('pg_namespace', 'n.oid')} order by 2"""
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
    from pg_collation o join pg_namespace n on n.oid = o.collnamespace, lateral to_jsonb(o) j where {owned('pg_collation', 'o.oid')}"""
ENUMS = f"""select 'enum', t.oid::regtype::text, labels::text,
    'CREATE TYPE ' || t.oid::regtype || ' AS ENUM (' || array_to_string(array(select quote_literal(l) from unnest(labels) l), ', ') || ')',
    'DROP TYPE ' || t.oid::regtype, ''
    from pg_type t join pg_namespace n on n.oid = t.typnamespace,
    lateral (select array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder) labels) l
    where t.typtype = 'e' and {owned('pg_type', 't.oid')} order by t.oid"""
DOMAINS = f"""select 'domain', t.oid::regtype::text, format_type(t.typbasetype, t.typtypmod)
        || case when t.typcollation <> b.typcollation then ' COLLATE ' || t.typcollation::regcollation else '' end,
    'CREATE DOMAIN ' || t.oid::regtype || ' AS ' || format_type(t.typbasetype, t.typtypmod)
        || case when t.typcollation <> b.typcollation then ' COLLATE ' || t.typcollation::regcollation else '' end,
    'DROP DOMAIN ' || t.oid::regtype, ''
    from pg_type t join pg_namespace n on n.oid = t.typnamespace join pg_type b on b.oid = t.typbasetype
    where t.typtype = 'd' and {owned('pg_type', 't.oid')} order by t.oid"""
DOMAIN_DEFAULTS = f"""select 'domain default', t.oid::regtype::text, t.typdefault,
    'ALTER DOMAIN ' || t.oid::regtype || ' SET DEFAULT ' || t.typdefault,
    'ALTER DOMAIN ' || t.oid::regtype || ' DROP DEFAULT', 'ALTER DOMAIN ' || t.oid::regtype || ' SET DEFAULT ' || t.typdefault
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typtype = 'd' and t.typdefault is not null and {owned('pg_type', 't.oid')}"""
DOMAIN_CONSTRAINTS = f"""select 'domain constraint', r.contypid::regtype || '.' || quote_ident(r.conname), pg_get_constraintdef(r.oid),
    'ALTER DOMAIN ' || r.contypid::regtype || ' ADD CONSTRAINT ' || quote_ident(r.conname) || ' ' || pg_get_constraintdef(r.oid),
    'ALTER DOMAIN ' || r.contypid::regtype || ' DROP CONSTRAINT ' || quote_ident(r.conname), ''
    from pg_constraint r join pg_namespace n on n.oid = r.connamespace
    where r.contypid <> 0 and r.contype = 'c' and {owned('pg_type', 'r.contypid')}"""


def domain_not_null(version: int) -> str:
    """Since Postgres 17 a constraint with a name, which pg_dump says since then."""
    name = "(select quote_ident(r.conname) from pg_constraint r where r.contypid = t.oid and r.contype = 'n')" if version >= PG17 else "null"
    return f"""select 'domain not null', t.oid::regtype::text, {name},
        'ALTER DOMAIN ' || t.oid::regtype || coalesce(' ADD CONSTRAINT ' || {name} || ' NOT NULL', ' SET NOT NULL'),
        'ALTER DOMAIN ' || t.oid::regtype || ' DROP NOT NULL', ''
        from pg_type t join pg_namespace n on n.oid = t.typnamespace
        where t.typtype = 'd' and t.typnotnull and {owned('pg_type', 't.oid')}"""


COMPOSITES = f"""select 'composite type', t.oid::regtype::text, attributes, 'CREATE TYPE ' || t.oid::regtype || ' AS (' || attributes || ')',
    'DROP TYPE ' || t.oid::regtype, ''
    from pg_type t join pg_class c on c.oid = t.typrelid and c.relkind = 'c' join pg_namespace n on n.oid = t.typnamespace,
    lateral (select coalesce(string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
               || case when a.attcollation <> b.typcollation then ' COLLATE ' || a.attcollation::regcollation else '' end,
             ', ' order by a.attnum), '') attributes
             from pg_attribute a join pg_type b on b.oid = a.atttypid
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) l
    where {owned('pg_type', 't.oid')} order by t.oid"""
RANGES = f"""select 'range type', r.rngtypid::regtype::text, def, 'CREATE TYPE ' || r.rngtypid::regtype || ' AS RANGE (' || def || ')',
    'DROP TYPE ' || r.rngtypid::regtype, ''
    from pg_range r join pg_type t on t.oid = r.rngtypid join pg_namespace n on n.oid = t.typnamespace
    join pg_type s on s.oid = r.rngsubtype join pg_opclass o on o.oid = r.rngsubopc join pg_namespace m on m.oid = o.opcnamespace,
    lateral (select 'SUBTYPE = ' || r.rngsubtype::regtype || ', SUBTYPE_OPCLASS = ' || quote_ident(m.nspname) || '.' || quote_ident(o.opcname)
        || case when r.rngcollation <> 0 then ', COLLATION = ' || r.rngcollation::regcollation else '' end
        || case when r.rngsubdiff <> 0 then ', SUBTYPE_DIFF = ' || r.rngsubdiff::regproc else '' end
        || case when r.rngcanonical <> 0 then ', CANONICAL = ' || r.rngcanonical::regproc else '' end
        || ', MULTIRANGE_TYPE_NAME = ' || r.rngmultitypid::regtype def) l
    where {owned('pg_type', 't.oid')} order by t.oid"""
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
    where p.prokind <> 'a' and {NOT_INTERNAL.format(catalog='pg_proc', oid='p.oid')} and {owned('pg_proc', 'p.oid')} order by p.oid"""
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
    where {owned('pg_proc', 'p.oid')} order by p.oid"""
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
    where o.oprcode <> 0 and {owned('pg_operator', 'o.oid')} order by o.oid"""
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
    where {owned('pg_ts_dict', 'y.oid')}"""
TEXT_SEARCH_CONFIGURATIONS = f"""select 'text search configuration', f.oid::regconfig::text, q.nspname || '.' || p.prsname,
    'CREATE TEXT SEARCH CONFIGURATION ' || f.oid::regconfig || ' (PARSER = ' || quote_ident(q.nspname) || '.' || quote_ident(p.prsname) || ')',
    'DROP TEXT SEARCH CONFIGURATION ' || f.oid::regconfig, ''
    from pg_ts_config f join pg_namespace n on n.oid = f.cfgnamespace join pg_ts_parser p on p.oid = f.cfgparser
    join pg_namespace q on q.oid = p.prsnamespace where {owned('pg_ts_config', 'f.oid')}"""
TEXT_SEARCH_MAPPINGS = f"""select 'text search mapping', f.oid::regconfig || '.' || k.alias, dicts,
    'ALTER TEXT SEARCH CONFIGURATION ' || f.oid::regconfig || ' ADD MAPPING FOR ' || k.alias || ' WITH ' || dicts,
    'ALTER TEXT SEARCH CONFIGURATION ' || f.oid::regconfig || ' DROP MAPPING FOR ' || k.alias,
    'ALTER TEXT SEARCH CONFIGURATION ' || f.oid::regconfig || ' ALTER MAPPING FOR ' || k.alias || ' WITH ' || dicts
    from pg_ts_config f join pg_namespace n on n.oid = f.cfgnamespace, lateral ts_token_type(f.cfgparser) k,
    lateral (select string_agg(m.mapdict::regdictionary::text, ', ' order by m.mapseqno) dicts from pg_ts_config_map m
             where m.mapcfg = f.oid and m.maptokentype = k.tokid) l
    where dicts is not null and {owned('pg_ts_config', 'f.oid')}"""
SERVERS = f"""select 'server', quote_ident(s.srvname), def, 'CREATE SERVER ' || quote_ident(s.srvname) || def, 'DROP SERVER ' || quote_ident(s.srvname), ''
    from pg_foreign_server s join pg_foreign_data_wrapper w on w.oid = s.srvfdw,
    lateral (select coalesce(' TYPE ' || quote_literal(s.srvtype), '') || coalesce(' VERSION ' || quote_literal(s.srvversion), '')
        || ' FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname) || {FOREIGN_OPTIONS.format(options='s.srvoptions')} def) l
    where {NOT_OF_EXTENSION.format(catalog='pg_foreign_server', oid='s.oid')}"""
# Their options can be passwords: nothing writes those into a file.
USER_MAPPINGS = """select 'user mapping', coalesce(quote_ident(usename), 'PUBLIC') || ' on ' || quote_ident(srvname), coalesce(umoptions::text, ''), '', '', ''
    from pg_user_mappings"""
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
