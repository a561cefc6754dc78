"""Definitions of what reads tables or is hung on them: views, triggers, rules, policies, statistics, event triggers,
publications, comments.
"""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.database.catalogue import NOT_OF_EXTENSION
from neon_hooks.database.defining.parts import CLASS, OPTIONS_OF, OWN_CLASS, PG15, PG18, STATE, X, owned

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
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where {owned('pg_statistic_ext', 's.oid')}"""
STATISTICS_TARGETS = f"""select 'statistics object target', quote_ident(n.nspname) || '.' || quote_ident(s.stxname), s.stxstattarget::text,
    'ALTER STATISTICS ' || quote_ident(n.nspname) || '.' || quote_ident(s.stxname) || ' SET STATISTICS ' || s.stxstattarget,
    'ALTER STATISTICS ' || quote_ident(n.nspname) || '.' || quote_ident(s.stxname) || ' SET STATISTICS -1',
    'ALTER STATISTICS ' || quote_ident(n.nspname) || '.' || quote_ident(s.stxname) || ' SET STATISTICS ' || s.stxstattarget
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where coalesce(s.stxstattarget, -1) >= 0 and {owned('pg_statistic_ext', 's.oid')}"""
EVENT_TRIGGERS = """select 'event trigger', quote_ident(evtname), def, 'CREATE EVENT TRIGGER ' || quote_ident(evtname) || def,
    'DROP EVENT TRIGGER ' || quote_ident(evtname), ''
    from pg_event_trigger v, lateral (select ' ON ' || evtevent || coalesce(' WHEN TAG IN (' || (select string_agg(quote_literal(t), ', ')
        from unnest(evttags) t) || ')', '') || ' EXECUTE FUNCTION ' || evtfoid::regprocedure def) l
    where """ + NOT_OF_EXTENSION.format(catalog="pg_event_trigger", oid="v.oid")
EVENT_TRIGGER_STATES = """select 'event trigger state', quote_ident(evtname), evtenabled::text,
    'ALTER EVENT TRIGGER ' || quote_ident(evtname) || ' ' || case evtenabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end,
    'ALTER EVENT TRIGGER ' || quote_ident(evtname) || ' ENABLE', '' from pg_event_trigger where evtenabled <> 'O'"""


def publications(version: int) -> Iterator[str]:
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
