"""asyncpg and its pools. Standard library only, Python 3.8 and later.

Every way to connect goes through ``connect_utils._parse_connect_arguments``; every error from the server
is made by ``PostgresError.new``, also those of statements that fail while they are prepared.
"""

from __future__ import annotations

import functools
import sys
import time
from typing import Any, Dict

WORDS = ("sqlstate", "message", "detail", "hint", "context", "position")


def patch(shim: Any, asyncpg: Any) -> None:
    connection = sys.modules["asyncpg.connection"]
    _connect(shim, asyncpg, connection)
    _arguments(shim, sys.modules["asyncpg.connect_utils"])
    _statements(shim, connection.Connection)
    _prepared(shim, sys.modules["asyncpg.prepared_stmt"])
    _errors(shim, sys.modules["asyncpg.exceptions._base"])


def _target(shim: Any) -> Dict[str, Any]:
    found = {key: shim.target[key] for key in ("host", "user", "password") if key in shim.target}
    return dict(
        found, port=int(shim.target["port"]), database=shim.target["dbname"], ssl=shim.target.get("sslmode")
    )


def _connect(shim: Any, asyncpg: Any, module: Any) -> None:
    """SQLAlchemy passes on what it finds in a URL, also what asyncpg does not know."""
    original = module.connect

    def connect(dsn: Any = None, **kwargs: Any) -> Any:
        known = {"ssl": kwargs["ssl"]} if "ssl" in kwargs else {}
        return original(dsn, **shim.kept(kwargs), **known)

    module.connect = asyncpg.connect = functools.wraps(original)(connect)


def _arguments(shim: Any, utils: Any) -> None:
    original = utils._parse_connect_arguments

    def parse(**kwargs: Any) -> Any:
        wanted = dict(kwargs)
        target = _target(shim)
        if _verifies(kwargs.get("ssl")) and target["ssl"] not in (None, "disable", "allow", "prefer"):
            target["ssl"] = kwargs["ssl"]
        nothing = dict.fromkeys(
            ("dsn", "passfile", "direct_tls", "service", "servicefile", "target_session_attrs")
        )
        settings = {**_settings(shim, kwargs.get("dsn")), **(kwargs.get("server_settings") or {})}
        own = {**nothing, **target, "server_settings": settings or None}
        result = original(**{**kwargs, **{key: value for key, value in own.items() if key in kwargs}})
        for host, port in result[0]:
            shim.connected("asyncpg", wanted, host, port, result[1].database)
        return result

    utils._parse_connect_arguments = functools.wraps(original)(parse)


def _settings(shim: Any, dsn: Any) -> Dict[str, str]:
    """Parameters of the program's URL that asyncpg would send to the server (search_path, ...)."""
    from urllib.parse import parse_qsl, urlsplit

    return {} if not dsn else dict(shim.kept(dict(parse_qsl(urlsplit(str(dsn)).query))))


def _verifies(context: Any) -> bool:
    return bool(getattr(context, "verify_mode", 0))


def _noted(shim: Any, connection: Any, query: Any, args: Any) -> Any:
    return shim.statement(connection, lambda: query, args or None, lambda: not connection.is_in_transaction())


def _statements(shim: Any, cls: Any) -> None:
    execute, low, many = cls.execute, cls._execute, cls._executemany

    async def noting_execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            return await execute(self, query, *args, **kwargs)  # noted by _execute
        with _noted(shim, self, query, None) as fields:
            status = await _call(fields, execute(self, query, **kwargs))
            fields["rows"] = _rows(status)
            return status

    async def noting_low(self: Any, query: Any, args: Any, *rest: Any, **kwargs: Any) -> Any:
        with _noted(shim, self, query, args) as fields:
            return await _call(fields, low(self, query, args, *rest, **kwargs))

    async def noting_many(self: Any, query: Any, args: Any, *rest: Any, **kwargs: Any) -> Any:
        with _noted(shim, self, query, None) as fields:
            return await _call(fields, many(self, query, args, *rest, **kwargs))

    cls.execute = functools.wraps(execute)(noting_execute)
    cls._execute = functools.wraps(low)(noting_low)
    cls._executemany = functools.wraps(many)(noting_many)


def _prepared(shim: Any, module: Any) -> None:
    name = "_PreparedStatement__bind_execute"
    original = getattr(module.PreparedStatement, name)

    async def bind_execute(self: Any, args: Any, *rest: Any, **kwargs: Any) -> Any:
        with _noted(shim, self._connection, self._query, args) as fields:
            result = await _call(fields, original(self, args, *rest, **kwargs))
            fields["rows"] = _rows(self.get_statusmsg())
            return result

    setattr(module.PreparedStatement, name, functools.wraps(original)(bind_execute))


async def _call(fields: Dict[str, Any], awaitable: Any) -> Any:
    try:
        return await awaitable
    except Exception as error:
        fields["error"] = _diagnosis(error)
        raise


def _rows(status: Any) -> int:
    """The count in a command tag such as ``UPDATE 3``."""
    last = status.split()[-1] if isinstance(status, str) and status else ""
    return int(last) if last.isdigit() else -1


def _diagnosis(error: Any) -> Dict[str, Any]:
    words = {name: getattr(error, name, None) for name in WORDS}
    return dict(words, message=words["message"] or str(error))


def _errors(shim: Any, base: Any) -> None:
    original = base.PostgresError.new.__func__

    def new(cls: Any, fields: Any, query: Any = None) -> Any:
        error = original(cls, fields, query)
        shim.journal.write("refused", at=time.time(), sql=str(query or ""), error=_diagnosis(error))
        return error

    base.PostgresError.new = classmethod(functools.wraps(original)(new))
