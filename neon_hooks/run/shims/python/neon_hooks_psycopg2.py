"""psycopg2, its extras and pools (and aiopg). Standard library only, Python 3.8 and later.

Every way to connect goes through ``psycopg2._connect``. Connections and cursors are C types, so ours are
subclasses of whatever class the program asks for.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable, List

IDLE = 0  # TRANSACTION_STATUS_IDLE


def patch(shim: Any, psycopg2: Any) -> None:
    extensions = sys.modules["psycopg2.extensions"]
    original = psycopg2._connect
    cursor_class = functools.lru_cache(maxsize=None)(functools.partial(_cursor_class, shim))
    connection_class = functools.lru_cache(maxsize=None)(
        functools.partial(_connection_class, shim, cursor_class)
    )

    def connect(dsn: str, connection_factory: Any = None, **kwargs: Any) -> Any:
        wanted = extensions.parse_dsn(dsn)
        params = shim.redirected(wanted)
        factory = extensions.connection if connection_factory is None else connection_factory
        if isinstance(factory, type):
            factory = connection_class(factory)
        connection = original(extensions.make_dsn(**params), connection_factory=factory, **kwargs)
        try:
            params = connection.get_dsn_parameters()
        except Exception:
            pass  # an asynchronous connection that is not open yet: it was started with these parameters
        shim.connected("psycopg2", wanted, params.get("host"), params.get("port"), params.get("dbname"))
        return connection

    psycopg2._connect = connect


def _connection_class(shim: Any, cursor_class: Callable[[Any], Any], base: Any) -> Any:
    default: List[
        Any
    ] = []  # what `base` makes when nobody says: some connection classes have cursors of their own

    def cursor(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            factory = kwargs.get("cursor_factory") or self.cursor_factory
            if factory is None:
                if not default:
                    default.append(type(base.cursor(self)))
                factory = default[0]
            kwargs["cursor_factory"] = cursor_class(factory) if isinstance(factory, type) else factory
        return base.cursor(self, *args, **kwargs)

    def commit(self: Any) -> Any:
        try:
            return base.commit(self)
        except Exception as error:
            shim.refused(self, "COMMIT", error)
            raise

    return type(base.__name__, (base,), {"cursor": cursor, "commit": commit, "__module__": base.__module__})


def _cursor_class(shim: Any, base: Any) -> Any:
    def execute(self: Any, query: Any, vars: Any = None) -> Any:
        return _noted(shim, self, query, vars, lambda: base.execute(self, query, vars))

    def executemany(self: Any, query: Any, vars_list: Any) -> Any:
        return _noted(shim, self, query, None, lambda: base.executemany(self, query, vars_list))

    def copy_expert(self: Any, sql: Any, file: Any, size: int = 8192) -> Any:
        return _noted(shim, self, sql, None, lambda: base.copy_expert(self, sql, file, size))

    members = {"execute": execute, "executemany": executemany, "copy_expert": copy_expert}
    return type(base.__name__, (base,), {**members, "__module__": base.__module__})


def _noted(shim: Any, cursor: Any, query: Any, params: Any, call: Callable[[], Any]) -> Any:
    connection = cursor.connection
    statement = shim.statement(
        connection,
        lambda: query.as_string(connection) if hasattr(query, "as_string") else query,
        params,
        lambda: connection.get_transaction_status() == IDLE,
    )
    with statement as fields:
        try:
            result = call()
            fields["rows"] = cursor.rowcount
            return result
        except Exception as error:
            fields["error"] = shim.diagnosis(error)
            raise
