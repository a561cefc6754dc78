"""The many ways to write down where a Postgres is, and the same place in each of them. Pure.

A program reads its database's address in one dialect; what it is given instead must be in the same one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from neon_hooks.dsn import Dsn

URL = re.compile(r"\s*([a-z][\w.-]*(?:\+\w+)?)://", re.IGNORECASE)
POSTGRES_SCHEMES = frozenset(
    "postgres postgresql postgresqls pgsql pg psql postgis timescale timescalegis".split()
)
JDBC = re.compile(r"\s*jdbc:postgresql:", re.IGNORECASE)
NPGSQL = re.compile(r"\s*(?:Host|Server)\s*=\s*[^;]+;.*\b(?:Database|Username|User Id)\s*=", re.IGNORECASE)
LIBPQ = re.compile(r"(?:^|\s)(?:host|hostaddr|dbname|service)\s*=\s*\S+(?:\s+\w+\s*=\s*\S+)*\s*$")

# Drivers that do not take libpq's parameters in their URL, and how they spell sslmode ("" = not at all).
# https://docs.sqlalchemy.org/en/20/dialects/postgresql.html
FOREIGN_SSLMODE = {"asyncpg": "ssl", "pg8000": "", "aiopg": "sslmode"}


def scheme_of(value: str) -> str:
    """The scheme of a URL in lower case, driver included; "" for anything else."""
    match = URL.match(value)
    return match[1].lower() if match else ""


def url(dsn: Dsn, scheme: str = "postgresql") -> str:
    """The connection URL, with only those parameters that the scheme's driver understands."""
    driver = scheme.partition("+")[2]
    params = dict(dsn.params)
    if driver in FOREIGN_SSLMODE:
        spelled, mode = FOREIGN_SSLMODE[driver], params.get("sslmode", "")
        params = {spelled: mode} if spelled and mode else {}
    return Dsn(dsn.host, dsn.database, dsn.user, dsn.password, dsn.port, params).uri(scheme)


def jdbc(dsn: Dsn) -> str:
    params = {"user": dsn.user, "password": dsn.password}
    params |= {key: value for key, value in dsn.params.items() if key in ("sslmode", "sslrootcert")}
    return f"jdbc:postgresql://{_authority(dsn)}/{dsn.database}?{urlencode(params)}"


def npgsql(dsn: Dsn) -> str:
    parts = {
        "Host": dsn.host, "Port": str(dsn.port), "Database": dsn.database,
        "Username": dsn.user, "Password": dsn.password,
    }  # fmt: skip
    modes = {"verify-full": "VerifyFull", "verify-ca": "VerifyCA", "require": "Require"}
    if dsn.params.get("sslmode") in modes:
        parts["SSL Mode"] = modes[dsn.params["sslmode"]]
    return ";".join(f"{key}={_npgsql_value(value)}" for key, value in parts.items())


def libpq(dsn: Dsn) -> str:
    parts = {
        "host": dsn.host, "port": str(dsn.port), "dbname": dsn.database,
        "user": dsn.user, "password": dsn.password, **dsn.params,
    }  # fmt: skip
    return " ".join(f"{key}={_libpq_value(value)}" for key, value in parts.items() if value)


FORMATS: tuple[tuple[re.Pattern[str], Callable[[Dsn], str]], ...] = (
    (JDBC, jdbc),
    (NPGSQL, npgsql),
    (LIBPQ, libpq),
)


def is_postgres(value: str) -> bool:
    """Whether ``value`` says where a Postgres is, in any of the dialects."""
    scheme = scheme_of(value)
    if scheme:
        return scheme in POSTGRES_SCHEMES or scheme.partition("+")[0] in POSTGRES_SCHEMES
    return any(pattern.match(value) for pattern, _ in FORMATS)


def translated(value: str, dsn: Dsn) -> str:
    """``dsn`` in the dialect of ``value``, which is one that ``is_postgres`` knows."""
    for pattern, write in FORMATS:
        if pattern.match(value):
            return write(dsn)
    return url(dsn, scheme_of(value))


def pg_variables(dsn: Dsn) -> Mapping[str, str]:
    """libpq's own variables (manual, section 34.15), which drivers of other languages read as well."""
    names = {
        "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "channel_binding": "PGCHANNELBINDING",
        "sslnegotiation": "PGSSLNEGOTIATION", "options": "PGOPTIONS", "connect_timeout": "PGCONNECT_TIMEOUT",
    }  # fmt: skip
    return {
        "PGHOST": dsn.host, "PGPORT": str(dsn.port), "PGUSER": dsn.user, "PGPASSWORD": dsn.password,
        "PGDATABASE": dsn.database, "PGAPPNAME": "neon-hooks",
        **{names[key]: value for key, value in dsn.params.items() if key in names},
    }  # fmt: skip


def _authority(dsn: Dsn) -> str:
    host = f"[{dsn.host}]" if ":" in dsn.host else dsn.host
    return f"{host}:{dsn.port}"


def _npgsql_value(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if re.search(r"[;'\"\s=]", value) else value


def _libpq_value(value: str) -> str:
    return (
        "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" if re.search(r"[\s'\\]", value) else value
    )
