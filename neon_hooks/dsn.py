"""Where a database is and who connects to it, as one value that never prints its password.

Pure: nothing here connects. Postgres' connection URIs are described in the manual, section 34.1.1
(libpq-connect.html#LIBPQ-CONNSTRING-URIS).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from neon_hooks.errors import UsageError

DEFAULT_PORT = 5432
SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True)
class Dsn:
    """A Postgres connection string, taken apart (user, password and database are decoded)."""

    host: str
    database: str
    user: str = ""
    password: str = field(default="", repr=False)
    port: int = DEFAULT_PORT
    params: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, uri: str) -> Dsn:
        """Read ``postgresql://user:password@host:port/database?params``.

        Raises UsageError, without repeating the URI, when it is none.
        """
        try:
            parts = urlsplit(uri.strip())
            scheme = parts.scheme.partition("+")[0]
            port = parts.port or DEFAULT_PORT
        except ValueError:
            scheme = ""
        if scheme not in SCHEMES or not parts.hostname:
            raise UsageError(
                "this is not a Postgres connection string",
                fix="it has the form postgresql://user:password@host/database",
            )
        return cls(
            host=unquote(parts.hostname),
            port=port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=unquote(parts.path.removeprefix("/")),
            params=MappingProxyType(dict(parse_qsl(parts.query))),
        )

    @property
    def authority(self) -> tuple[str, int]:
        """Host and port: what tells one compute from another."""
        return self.host.lower(), self.port

    def uri(self, scheme: str = "postgresql") -> str:
        """The connection string, password included: hand it to a process, never to a person."""
        login = quote(self.user, safe="")
        if self.password:
            login += ":" + quote(self.password, safe="")
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORT else f":{self.port}"
        query = f"?{urlencode(self.params)}" if self.params else ""
        at = "@" if login else ""
        return f"{scheme}://{login}{at}{host}{port}/{quote(self.database, safe='')}{query}"

    def with_params(self, **params: str) -> Dsn:
        """The same database with parameters added."""
        return replace(self, params=MappingProxyType({**self.params, **params}))

    def __str__(self) -> str:
        return f"{self.database} at {self.host}:{self.port}"
