"""The environment of the project's tool: every way to another database is overwritten. Pure.

Overwritten, not removed: where a variable is missing, a dotenv library puts production's value back from
a file; where it is set, it stays. Secrets are overwritten too, by a placeholder: a migration needs none
to be tried, and a program that only reads its settings still finds every name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from neon_hooks.dsn import Dsn
from neon_hooks.run.dialects import is_postgres, pg_variables, scheme_of, translated, url

PLACEHOLDER = "neon-hooks-placeholder"
NOWHERE = "neon-hooks.invalid"  # a name that never resolves (RFC 2606)

# Names that libraries, hosts and frameworks read a database URL from; set even when nobody mentions them.
URL_NAMES = (
    "DATABASE_URL DIRECT_URL DIRECT_DATABASE_URL DATABASE_URL_UNPOOLED SHADOW_DATABASE_URL POSTGRES_URL"
    " POSTGRES_PRISMA_URL POSTGRES_URL_NON_POOLING POSTGRES_URL_NO_SSL NEON_DATABASE_URL DB_URL"
    " SQLALCHEMY_DATABASE_URI SQLALCHEMY_DATABASE_URL SQLALCHEMY_URL"
).split()
URL_NAME = re.compile(
    r"(?:^|_)(?:DATABASE|DB|POSTGRES|POSTGRESQL|PG|SQL|SQLALCHEMY|DATASOURCE)(?:_\w+)?_(?:URL|URI|DSN)$"
    r"|_DATABASE_URL$|^(?:DATABASE|POSTGRES|PG|DB)_?(?:URL|URI|DSN)(?:_\w+)?$",
    re.IGNORECASE,
)
PART_NAME = re.compile(
    r"(?:^|_)(?:DB|DATABASE|POSTGRES|POSTGRESQL|PG|PGSQL|RDS|SQL|NEON)_?"
    r"(?P<part>HOST|HOSTNAME|SERVER|ADDRESS|PORT|USER|USERNAME|PASS|PASSWORD|PWD|NAME|DB|DATABASE)$",
    re.IGNORECASE,
)
OTHER_STORE = re.compile(
    r"MYSQL|MARIADB|MONGO|REDIS|CLICKHOUSE|ORACLE|MSSQL|CASSANDRA|ELASTIC|SQLITE", re.IGNORECASE
)
FIELDS = {
    "HOST": "host", "HOSTNAME": "host", "SERVER": "host", "ADDRESS": "host", "PORT": "port", "USER": "user",
    "USERNAME": "user", "PASS": "password", "PASSWORD": "password", "PWD": "password", "NAME": "database",
    "DB": "database", "DATABASE": "database",
}  # fmt: skip

SECRET_NAME = re.compile(
    r"SECRET|TOKEN(?!IZERS_PARALLELISM)|PASSW|PASSPHRASE|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY|_PWD$"
    r"|(?<!PUBLIC)_KEY(?:_ID|_BASE)?$|^KEY$|COOKIE|_DSN$|_PAT$|_AUTH$|DOCKER_AUTH",
    re.IGNORECASE,
)
SECRET_VALUE = re.compile(
    r"-----BEGIN |\s*(?:gh[pousr]_|github_pat_|glpat-|sk_live_|rk_live_|sk-|xox[abp]-|AKIA|napi_"
    r"|eyJ[\w-]+\.[\w-]+\.)"
)
# Git's hooks set GIT_DIR and more, which would turn the project's own git calls on us. SSH_*: an agent
# opens other machines. NEON_* opens Neon itself.
STRIPPED = re.compile(r"^(?:GIT_|PRE_COMMIT|NEON_|SSH_|PREK)")
LIBPQ_REMOVED = (
    "PGHOSTADDR PGSERVICE PGOPTIONS PGSSLMODE PGSSLROOTCERT PGSSLCERT PGSSLKEY PGSSLCRL PGSSLCRLDIR"
    " PGREQUIRESSL PGCHANNELBINDING PGSSLNEGOTIATION PGTARGETSESSIONATTRS PGREQUIREAUTH"
    " PGLOADBALANCEHOSTS PGSYSCONFDIR"
).split()
# A dotenv library would put them back. To libpq the others of the list are errors when they are empty; they
# cannot lead elsewhere, or (PGSERVICE) are not found in an empty PGSERVICEFILE.
EMPTY_IS_UNSET = ("PGHOSTADDR", "PGOPTIONS")
FIXED = {
    "PGSERVICEFILE": os.devnull, "PGPASSFILE": os.devnull, "CI": "1", "NO_COLOR": "1", "TERM": "dumb",
    "CLICOLOR": "0", "PY_COLORS": "0", "COLUMNS": "200",
    "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace",
}  # fmt: skip
COLOURS = ("FORCE_COLOR", "CLICOLOR_FORCE", "COLORTERM")


@dataclass(frozen=True)
class Flooded:
    """``replaced``: names whose value was withheld, sorted; what a tool may be missing."""

    variables: Mapping[str, str] = field(repr=False)
    replaced: tuple[str, ...]


def flood(
    environ: Mapping[str, str],
    *,
    dotenv: Mapping[str, str],
    mentioned: Mapping[str, str],
    dsn: Dsn,
    scheme: str = "postgresql",
    passthrough: Iterable[str] = (),
    prefix: str = "",
) -> Flooded:
    """What the tool may see of ``environ``.

    dotenv:       what .env files hold; read by us because they are not part of a commit
    mentioned:    names that configuration files read, each with the default that stands there ("")
    scheme:       of a URL whose present value does not say it
    passthrough:  names whose values are handed down as they are, unless they lead to a database
    prefix:       the virtual environment of this hook, whose traces are removed
    """
    kept = frozenset(passthrough)
    addresses = {name: value for name, value in mentioned.items() if _is_address(name) or is_postgres(value)}
    variables: dict[str, str] = {}
    for name, value in {**addresses, **dotenv, **environ}.items():
        if STRIPPED.match(name) and not _is_address(name) and not is_postgres(value):
            if name in dotenv:
                variables[name] = PLACEHOLDER
            continue
        variables[name] = _safe(name, value, dsn, scheme, kept)
    for name in URL_NAMES:
        variables.setdefault(name, url(dsn, scheme))
    for name in (*LIBPQ_REMOVED, *COLOURS):
        if variables.pop(name, None) is not None and name in dotenv and name in EMPTY_IS_UNSET:
            variables[name] = ""
    variables.update({**pg_variables(dsn), **FIXED})
    replaced = sorted(n for n, value in variables.items() if PLACEHOLDER in value and not STRIPPED.match(n))
    return Flooded(_without_hook(variables, prefix), tuple(replaced))


def _is_address(name: str) -> bool:
    return not OTHER_STORE.search(name) and bool(URL_NAME.search(name) or PART_NAME.search(name))


def _safe(name: str, value: str, dsn: Dsn, scheme: str, kept: frozenset[str]) -> str:
    """The value that the tool gets for ``name``."""
    if is_postgres(value):
        return translated(value, dsn)
    if name in URL_NAMES or (URL_NAME.search(name) and not OTHER_STORE.search(name) and not _is_url(value)):
        return url(dsn, scheme)
    part = PART_NAME.search(name)
    if part and not OTHER_STORE.search(name):
        return str(getattr(dsn, FIELDS[part["part"].upper()]))
    if name in kept:
        return value
    if _is_url(value) and urlsplit(value).netloc.rpartition("@")[1]:
        return _nowhere(value)
    if value and (SECRET_NAME.search(name) or SECRET_VALUE.match(value)):
        return PLACEHOLDER
    return value


def _is_url(value: str) -> bool:
    try:
        return bool(scheme_of(value)) and bool(urlsplit(value).netloc)
    except ValueError:
        return False


def _nowhere(value: str) -> str:
    """A URL with credentials, in its own form, leading nowhere."""
    parts = urlsplit(value)
    login = PLACEHOLDER + (f":{PLACEHOLDER}" if ":" in parts.netloc.rpartition("@")[0] else "")
    return f"{parts.scheme}://{login}@{NOWHERE}{parts.path}"


def _without_hook(variables: dict[str, str], prefix: str) -> dict[str, str]:
    """Without this hook's own virtual environment, so that ``python`` is the user's again."""
    if not prefix:
        return variables
    for name in ("PATH", "PYTHONPATH"):
        parts = variables.get(name, "").split(os.pathsep)
        variables[name] = os.pathsep.join(part for part in parts if part and not _is_below(part, prefix))
    for name in ("VIRTUAL_ENV", "PYTHONHOME"):
        if _is_below(variables.get(name, ""), prefix):
            del variables[name]
    return {name: value for name, value in variables.items() if value or name != "PYTHONPATH"}


def _is_below(path: str, prefix: str) -> bool:
    return bool(path) and (os.path.normpath(path) + os.sep).startswith(os.path.normpath(prefix) + os.sep)
