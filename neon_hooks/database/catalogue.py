"""The queries that turn a database's catalogue into comparable text (manual, chapter 52).

Each yields one column, a line or more per object. Objects that belong to an extension are left out: the extension's own line stands for
them. Works on Postgres 14 to 18.
"""

OURS = r"n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
NOT_OF_EXTENSION = """not exists (select from pg_depend d
    where d.classid = '{catalog}'::regclass and d.objid = {oid} and d.deptype = 'e')"""


def _own(catalog: str, oid: str) -> str:
    return f"{OURS} and {NOT_OF_EXTENSION.format(catalog=catalog, oid=oid)}"


QUERIES = (
    f"""select 'schema ' || n.nspname || coalesce(' acl ' || n.nspacl::text, '')
        from pg_namespace n where {OURS}""",
    "select 'extension ' || extname || ' ' || extversion from pg_extension where extname <> 'plpgsql'",
    f"""select case c.relkind when 'p' then 'partitioned table ' when 'f' then 'foreign table ' else 'table ' end
            || c.oid::regclass || case c.relpersistence when 'u' then ' unlogged' else '' end
            || case when c.relrowsecurity then ' row security' else '' end
            || case when c.relforcerowsecurity then ' forced' else '' end
            || coalesce(' partition ' || pg_get_expr(c.relpartbound, c.oid), '')
            || coalesce(' partition by ' || pg_get_partkeydef(c.oid), '')
            || coalesce(' inherits ' || (select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno)
                                         from pg_inherits i where i.inhrelid = c.oid), '')
            || coalesce(' with ' || c.reloptions::text, '') || coalesce(' acl ' || c.relacl::text, '')
            || case c.relreplident when 'd' then '' else ' replica identity ' || c.relreplident::text end
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'f') and {_own('pg_class', 'c.oid')}""",
    f"""select 'column ' || c.oid::regclass || '.' || quote_ident(a.attname) || ' '
            || format_type(a.atttypid, a.atttypmod)
            || case when a.attcollation <> t.typcollation then ' collate ' || a.attcollation::regcollation else '' end
            || case when a.attnotnull then ' not null' else '' end
            || case a.attidentity when '' then '' else ' identity ' || a.attidentity::text end
            || case a.attgenerated when '' then coalesce(' default ' || pg_get_expr(e.adbin, e.adrelid), '')
               else ' generated ' || a.attgenerated::text || ' ' || pg_get_expr(e.adbin, e.adrelid) end
            || coalesce(' acl ' || a.attacl::text, '')
        from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_type t on t.oid = a.atttypid
        left join pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
        where c.relkind in ('r', 'p', 'f', 'c') and a.attnum > 0 and not a.attisdropped
          and {_own('pg_class', 'c.oid')}""",
    f"""select 'constraint ' || coalesce(r.conrelid::regclass::text, r.contypid::regtype::text) || '.'
            || quote_ident(r.conname) || ' ' || pg_get_constraintdef(r.oid)
        from pg_constraint r join pg_namespace n on n.oid = r.connamespace
        where r.contype <> 't' and (r.contype <> 'n' or not r.convalidated) and {_own('pg_constraint', 'r.oid')}
          and (r.conrelid <> 0 or r.contypid <> 0)""",
    f"""select 'index ' || pg_get_indexdef(i.indexrelid) || case when i.indisvalid then '' else ' INVALID' end
            || case when i.indisreplident then ' replica identity' else '' end
        from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
        where {_own('pg_class', 'i.indrelid')}""",
    f"""select case c.relkind when 'v' then 'view ' else 'materialized view ' end || c.oid::regclass
            || coalesce(' with ' || c.reloptions::text, '') || coalesce(' acl ' || c.relacl::text, '')
            || case when c.relkind = 'm' and not c.relispopulated then ' not populated' else '' end
            || E'\n' || pg_get_viewdef(c.oid)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('v', 'm') and {_own('pg_class', 'c.oid')}""",
    f"""select 'sequence ' || c.oid::regclass || ' ' || s.seqtypid::regtype || ' start ' || s.seqstart
            || ' increment ' || s.seqincrement || ' min ' || s.seqmin || ' max ' || s.seqmax
            || ' cache ' || s.seqcache || case when s.seqcycle then ' cycle' else '' end
            || coalesce(' acl ' || c.relacl::text, '')
        from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
        where {_own('pg_class', 'c.oid')}""",
    f"""select 'routine ' || p.oid::regprocedure || coalesce(' acl ' || p.proacl::text, '')
            || E'\n' || case when p.prokind = 'a' then 'aggregate' else pg_get_functiondef(p.oid) end
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {_own('pg_proc', 'p.oid')}""",
    f"""select 'trigger ' || pg_get_triggerdef(t.oid) || ' enabled ' || t.tgenabled::text
        from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
        where not t.tgisinternal and {_own('pg_class', 'c.oid')}""",
    f"""select 'rule ' || pg_get_ruledef(r.oid)
        from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
        where r.rulename <> '_RETURN' and {_own('pg_class', 'c.oid')}""",
    f"""select 'policy ' || p.polname || ' on ' || p.polrelid::regclass || ' for ' || p.polcmd::text
            || case when p.polpermissive then '' else ' restrictive' end
            || ' to ' || array(select case r when 0 then 'public' else r::regrole::text end
                               from unnest(p.polroles) r order by 1)::text
            || coalesce(' using ' || pg_get_expr(p.polqual, p.polrelid), '')
            || coalesce(' check ' || pg_get_expr(p.polwithcheck, p.polrelid), '')
        from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
        where {OURS}""",
    f"""select 'enum ' || t.oid::regtype || ' '
            || array(select e.enumlabel from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder)::text
        from pg_type t join pg_namespace n on n.oid = t.typnamespace
        where t.typtype = 'e' and {_own('pg_type', 't.oid')}""",
    f"""select 'domain ' || t.oid::regtype || ' ' || format_type(t.typbasetype, t.typtypmod)
            || case when t.typnotnull then ' not null' else '' end || coalesce(' default ' || t.typdefault, '')
        from pg_type t join pg_namespace n on n.oid = t.typnamespace
        where t.typtype = 'd' and {_own('pg_type', 't.oid')}""",
    f"""select 'range ' || r.rngtypid::regtype || ' of ' || r.rngsubtype::regtype
        from pg_range r join pg_type t on t.oid = r.rngtypid join pg_namespace n on n.oid = t.typnamespace
        where {_own('pg_type', 't.oid')}""",
    f"""select 'statistics ' || pg_get_statisticsobjdef(s.oid)
        from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where {OURS}""",
    """select 'comment on ' || i.type || ' ' || i.identity || ' is ' || quote_literal(d.description)
        from pg_description d, lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) i
        where (i.schema is null or (i.schema !~ '^pg_' and i.schema <> 'information_schema'))
          and d.classoid <> 'pg_extension'::regclass and i.identity !~ '^pg_'
          and d.objoid >= 16384
          and not exists (select from pg_depend x where x.classid = d.classoid and x.objid = d.objoid
                          and x.deptype = 'e')""",
    """select 'event trigger ' || evtname || ' on ' || evtevent || ' does ' || evtfoid::regprocedure
            || ' enabled ' || evtenabled::text from pg_event_trigger""",
    """select 'publication ' || p.pubname || ' ' || p.puballtables || ' '
            || array(select r.prrelid::regclass::text from pg_publication_rel r
                     where r.prpubid = p.oid order by 1)::text from pg_publication p""",
    """select 'default acl ' || defaclrole::regrole || ' ' || defaclnamespace || ' ' || defaclobjtype::text
            || ' ' || defaclacl::text from pg_default_acl""",
)
