"""psycopg (3): sync, async and pools. Standard library only, Python 3.8 and later.

Every way to connect goes through ``connect`` of a connection class, and that through ``_connect_gen``,
which is patched too: what a subclass does in between cannot lead anywhere else.
"""

from __future__ import annotations

import functools
from typing import Any

IDLE = 0  # PQTRANS_IDLE (libpq, PQtransactionStatus)


def patch(shim: Any, psycopg: Any) -> None:
    for cls in (psycopg.Connection, psycopg.AsyncConnection):
        _connect(shim, psycopg, cls)
    psycopg.connect = psycopg.Connection.connect
    _connect_gen(shim, psycopg, _owner(psycopg.Connection, "_connect_gen"))
    _commands(shim, _owner(psycopg.Connection, "_exec_command"))
    for cls in (psycopg.Cursor, psycopg.ServerCursor):
        for name in ("execute", "executemany"):
            if name in vars(cls):
                _sync(shim, cls, name)
    for cls in (psycopg.AsyncCursor, psycopg.AsyncServerCursor):
        for name in ("execute", "executemany"):
            if name in vars(cls):
                _async(shim, cls, name)
    for cls in (psycopg.Cursor, psycopg.AsyncCursor):
        _copy(shim, cls)


def _owner(cls: Any, name: str) -> Any:
    return next(base for base in cls.__mro__ if name in vars(base))


def _connect(shim: Any, psycopg: Any, cls: Any) -> None:
    original: Any = cls.connect.__func__

    @functools.wraps(original)
    def connect(cls: Any, conninfo: str = "", **kwargs: Any) -> Any:
        try:
            written = psycopg.conninfo.conninfo_to_dict(conninfo)
        except psycopg.Error:
            written = {}
        # The target goes in as the string: keyword arguments are the class's own (autocommit, ...) too.
        target = psycopg.conninfo.make_conninfo("", **shim.target)
        params = shim.redirected({**written, **kwargs})
        return original(
            cls, target, **{key: value for key, value in params.items() if key not in shim.target}
        )

    cls.connect = classmethod(connect)  # type: ignore[arg-type]


def _connect_gen(shim: Any, psycopg: Any, owner: Any) -> None:
    original = owner._connect_gen.__func__

    def connect_gen(cls: Any, conninfo: str = "", *args: Any, **kwargs: Any) -> Any:
        wanted = psycopg.conninfo.conninfo_to_dict(conninfo)
        params = shim.redirected(wanted)
        if wanted.get("host") == params["host"] and wanted.get("hostaddr"):
            params["hostaddr"] = wanted["hostaddr"]  # psycopg has looked the target's host up by now
        connection = yield from original(cls, psycopg.conninfo.make_conninfo("", **params), *args, **kwargs)
        info = connection.info
        shim.connected("psycopg", wanted, info.host, info.port, info.dbname)
        return connection

    owner._connect_gen = classmethod(functools.wraps(original)(connect_gen))


def _commands(shim: Any, owner: Any) -> None:
    """COMMIT, SAVEPOINT and the like: noted when they fail, as a deferred constraint makes COMMIT do."""
    original = owner._exec_command

    def exec_command(self: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return (yield from original(self, command, *args, **kwargs))
        except Exception as error:
            shim.refused(self, command, error)
            raise

    owner._exec_command = functools.wraps(original)(exec_command)


def _statement(shim: Any, cursor: Any, query: Any, params: Any) -> Any:
    return shim.statement(
        cursor.connection,
        lambda: query.as_string(cursor) if hasattr(query, "as_string") else query,
        params,
        lambda: cursor.connection.pgconn.transaction_status == IDLE,
    )


def _sync(shim: Any, cls: Any, name: str) -> None:
    original = vars(cls)[name]

    def method(self: Any, query: Any, params: Any = None, *args: Any, **kwargs: Any) -> Any:
        with _statement(shim, self, query, params if name == "execute" else None) as fields:
            try:
                result = original(self, query, params, *args, **kwargs)
                fields["rows"] = self.rowcount
                return result
            except Exception as error:
                fields["error"] = shim.diagnosis(error)
                raise

    setattr(cls, name, functools.wraps(original)(method))


def _async(shim: Any, cls: Any, name: str) -> None:
    original = vars(cls)[name]

    async def method(self: Any, query: Any, params: Any = None, *args: Any, **kwargs: Any) -> Any:
        with _statement(shim, self, query, params if name == "execute" else None) as fields:
            try:
                result = await original(self, query, params, *args, **kwargs)
                fields["rows"] = self.rowcount
                return result
            except Exception as error:
                fields["error"] = shim.diagnosis(error)
                raise

    setattr(cls, name, functools.wraps(original)(method))


def _copy(shim: Any, cls: Any) -> None:
    """Noted when it starts: what it returns is a context manager, whose end is not ours to see."""
    original = vars(cls)["copy"]

    def copy(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
        with _statement(shim, self, statement, None):
            return original(self, statement, *args, **kwargs)

    cls.copy = functools.wraps(original)(copy)
