"""The settings module that stands in front of a Django project's own, as text.

It is written next to the run, never into the project, and runs in the project's interpreter (3.8 and
later). ENGINE stays what it is: PostGIS and wrappers of the Postgres backend mean it.
"""

from __future__ import annotations

SETTINGS_WRAPPER = '''\
"""The project's settings, with every Postgres database replaced by the test Neon database branch."""

import importlib
import os
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

_settings = importlib.import_module(os.environ["NEON_HOOKS_DJANGO_SETTINGS"])
for _name in dir(_settings):
    if _name.isupper():
        globals()[_name] = getattr(_settings, _name)

_DROPPED = (
    "service", "passfile", "pool", "hostaddr", "host", "port", "user", "password", "dbname",
    "channel_binding", "target_session_attrs", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl",
    "sslpassword",
)


def _is_postgres(engine):
    if any(word in engine.lower() for word in ("postg", "psqlextra", "timescale")):
        return True
    if engine.startswith("django.db.backends."):
        return False
    try:
        return importlib.import_module(engine + ".base").DatabaseWrapper.vendor == "postgresql"
    except Exception:
        return False


def _redirected(database):
    url = urlsplit(os.environ["NEON_HOOKS_TARGET"])
    options = {key: value for key, value in (database.get("OPTIONS") or {}).items() if key not in _DROPPED}
    options.update(parse_qsl(url.query))
    return dict(
        database,
        NAME=unquote(url.path[1:]), USER=unquote(url.username or ""), PASSWORD=unquote(url.password or ""),
        HOST=unquote(url.hostname or ""), PORT=str(url.port or 5432), OPTIONS=options, CONN_MAX_AGE=0,
    )


_databases = getattr(_settings, "DATABASES", None) or {}
_engine = (_databases.get("default") or {}).get("ENGINE", "")
if not _is_postgres(_engine):
    sys.exit(
        "neon-hooks: DATABASES['default'] of %s uses %s, not Postgres: nothing was run"
        % (os.environ["NEON_HOOKS_DJANGO_SETTINGS"], _engine or "no engine")
    )
DATABASES = {
    alias: _redirected(database) if _is_postgres(database.get("ENGINE", "")) else database
    for alias, database in _databases.items()
}
'''
