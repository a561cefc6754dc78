"""Definitions of who may do what: each privilege of each grantee, and default privileges."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.database.catalogue import NOT_OF_EXTENSION
from neon_hooks.database.defining.parts import CLASS, NOT_INTERNAL, OWN_CLASS, X, owned


def _privileges(kind: str, acl: str, default: str, owner: str, word: str, name: str, rest: str, column: str = "") -> str:
    """Each privilege of each grantee is an object; an owner's are the owner's, whoever that is."""
    grantee = "case g.grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(g.grantee)) end"
    shown = f"case when g.grantee = {owner} then 'the owner' else {grantee} end"
    on = f"g.privilege_type || {column or chr(39) * 2} || ' ON {word} ' || {name}"
    return f"""select 'privilege', {on} || ' TO ' || {shown}, g.is_grantable::text,
        'GRANT ' || {on} || ' TO ' || {grantee} || case when g.is_grantable then ' WITH GRANT OPTION' else '' end,
        'REVOKE ' || {on} || ' FROM ' || {grantee}, ''
        from {rest.replace(' where ', f", lateral aclexplode(coalesce({acl}, {default})) g where ", 1)}"""


def all_privileges() -> Iterator[str]:
    yield _privileges("schema", "n.nspacl", "acldefault('n', n.nspowner)", "n.nspowner", "SCHEMA", "quote_ident(n.nspname)",
                      f"pg_namespace n where {owned('pg_namespace', 'n.oid')}")  # fmt: skip
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
                      f" and {owned('pg_proc', 'p.oid')}")  # fmt: skip
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
                      f" and not exists (select from pg_type e where e.typarray = t.oid))) and {owned('pg_type', 't.oid')}")  # fmt: skip


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
