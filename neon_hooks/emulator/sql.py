"""The SQL that Neon's control plane would run on a compute, for the superuser of a cluster.

Text and one connection in, nothing else: no API, no processes. What an owner role may do at Neon is
described in its manual under "Manage roles" (https://neon.com/docs/manage/roles).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neon_hooks.database.connect import Connection

OWNER_ATTRIBUTES = "LOGIN CREATEDB CREATEROLE REPLICATION BYPASSRLS IN ROLE neon_superuser"
MEMBER_OF = ("pg_read_all_data", "pg_write_all_data", "pg_signal_backend", "pg_create_subscription")
Column = tuple[str, str, str, str, bool, str | None]
NOT_OURS = "('pg_catalog', 'information_schema')"


def name(identifier: str) -> str:
    """Quoted as an identifier (manual, 4.1.1)."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """Quoted as a string constant (manual, 4.1.2.1)."""
    return "'" + value.replace("'", "''") + "'"


def run(connection: Connection, statement: str) -> None:
    """A statement that was put together here; utility statements take no parameters."""
    connection.execute(statement.encode())


def make_neon_superuser(connection: Connection, major: int) -> None:
    """The role that Neon's owner roles are members of."""
    granted = [role for role in MEMBER_OF if major >= 16 or role != "pg_create_subscription"]
    run(connection, "CREATE ROLE neon_superuser NOLOGIN CREATEDB CREATEROLE REPLICATION BYPASSRLS")
    run(connection, f"GRANT {', '.join(granted)} TO neon_superuser")
    run(connection, "GRANT pg_monitor TO neon_superuser WITH ADMIN OPTION")


def create_role(connection: Connection, role: str, password: str | None) -> None:
    """An owner role as the API makes it; without ``password`` one that cannot log in."""
    attributes = OWNER_ATTRIBUTES if password is not None else "NOLOGIN"
    run(connection, f"CREATE ROLE {name(role)} {attributes}")
    if password is not None:
        set_password(connection, role, password)


def set_password(connection: Connection, role: str, password: str) -> None:
    run(connection, f"ALTER ROLE {name(role)} PASSWORD {text(password)}")


def drop_role(connection: Connection, role: str) -> None:
    run(connection, f"DROP ROLE IF EXISTS {name(role)}")


def give_away(connection: Connection, role: str) -> None:
    """Everything of ``role`` in this database goes to the superuser, so that the role can be dropped."""
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
        run(connection, f"REASSIGN OWNED BY {name(role)} TO CURRENT_USER")
        run(connection, f"DROP OWNED BY {name(role)}")


def create_database(connection: Connection, database: str, owner: str) -> None:
    run(connection, f"CREATE DATABASE {name(database)} OWNER {name(owner)}")


def open_public_schema(connection: Connection) -> None:
    """What the superuser makes in ``public`` is the owner roles' too, as at Neon."""
    for kind in ("TABLES", "SEQUENCES"):
        grant = f"GRANT ALL ON {kind} TO neon_superuser WITH GRANT OPTION"
        run(connection, f"ALTER DEFAULT PRIVILEGES IN SCHEMA public {grant}")


def drop_database(connection: Connection, database: str) -> None:
    run(connection, f"DROP DATABASE IF EXISTS {name(database)} WITH (FORCE)")


def alter_database(connection: Connection, database: str, new_name: str, owner: str) -> None:
    run(connection, f"ALTER DATABASE {name(database)} OWNER TO {name(owner)}")
    if new_name != database:
        statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(statement, (database,))
        run(connection, f"ALTER DATABASE {name(database)} RENAME TO {name(new_name)}")


def databases(connection: Connection) -> Mapping[str, str]:
    """Name -> owner of every database that a client may see."""
    rows = connection.execute(
        "SELECT datname, pg_get_userbyid(datdba) FROM pg_database"
        " WHERE datallowconn AND NOT datistemplate AND datname <> 'postgres' ORDER BY oid"
    )
    return {str(database): str(owner) for database, owner in rows}


def roles(connection: Connection) -> Sequence[str]:
    """Every role that is not Postgres' or Neon's own."""
    rows = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'"
        " AND rolname NOT IN ('postgres', 'neon_superuser') ORDER BY oid"
    )
    return [str(role) for (role,) in rows]


def remove_rows(connection: Connection) -> None:
    """Leave the schema and nothing in it, as ``pg_dump --schema-only`` would."""
    run(connection, "SET session_replication_role = replica")
    relations = connection.execute(
        "SELECT c.oid::regclass::text, c.relkind::text"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relkind IN ('r', 'm', 'S') AND n.nspname NOT IN {NOT_OURS}"
        " AND n.nspname !~ '^pg_(toast|temp)'"
    ).fetchall()
    tables = [relation for relation, kind in relations if kind == "r"]
    if tables:
        run(connection, f"TRUNCATE {', '.join(tables)} CASCADE")
    for relation, kind in relations:
        if kind == "m":
            run(connection, f"REFRESH MATERIALIZED VIEW {relation} WITH NO DATA")
        elif kind == "S":
            run(connection, f"ALTER SEQUENCE {relation} RESTART")
    connection.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")


def table_columns(connection: Connection) -> list[Column]:
    """Schema, table, column, type, nullable and default of every column of every table."""
    rows = connection.execute(
        "SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,"
        " pg_get_expr(d.adbin, d.adrelid)"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
        f" WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN {NOT_OURS}"
        " AND n.nspname !~ '^pg_' ORDER BY 1, 2, a.attnum"
    )
    return [(str(s), str(t), str(c), str(y), bool(n), d) for s, t, c, y, n, d in rows]
