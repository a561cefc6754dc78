"""The words in braces that a Command may hold, and what they stand for. Pure, and the keeper of one rule:
no secret on a command line, which everybody on the machine can read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlencode

from neon_hooks.dsn import Dsn
from neon_hooks.errors import UsageError
from neon_hooks.run.dialects import url

SECRETS = ("url_with_password", "jdbc_url_with_password", "password")
WORD = re.compile(r"\{([a-z_]+)\}")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PLAIN_MODES = ("disable", "verify-ca", "verify-full", "require")  # what every driver understands


def check(argv: Iterable[str]) -> None:
    """Raise UsageError for a secret in ``argv``."""
    for word in argv:
        for name in WORD.findall(word):
            if name in SECRETS:
                raise UsageError(
                    f"{{{name}}} must not stand on a command line, which other users of the machine can read",
                    fix="use {url}: the password is in PGPASSWORD; or hand it over in a variable",
                )


def values(dsn: Dsn, *, scheme: str, private: Path, checkout: Path, root: str) -> Mapping[str, str]:
    """What each word stands for. The URLs keep of the parameters only those that every driver takes:
    others pass what they do not know (channel_binding) on to the server, which refuses it.
    """
    params = {"sslmode": sslmode(dsn)}
    if "sslrootcert" in dsn.params:
        params["sslrootcert"] = dsn.params["sslrootcert"]
    plain = replace(dsn, params=params)
    host = f"[{dsn.host}]" if ":" in dsn.host else dsn.host
    jdbc = f"jdbc:postgresql://{host}:{dsn.port}/{quote(dsn.database, safe='')}?"
    login = {"user": dsn.user, "password": dsn.password}
    return {
        "files": str(private), "checkout": str(checkout), "root": str(checkout / root),
        "url": url(replace(plain, password=""), scheme), "url_with_password": url(plain, scheme),
        "jdbc_url": jdbc + urlencode(params), "jdbc_url_with_password": jdbc + urlencode({**login, **params}),
        "host": dsn.host, "port": str(dsn.port), "database": dsn.database,
        "user": dsn.user, "password": dsn.password,
    }  # fmt: skip


def sslmode(dsn: Dsn) -> str:
    """The mode in a word that every driver knows: Go's and Java's do not all know prefer and allow.

    Neon takes no connection without TLS; an embedded Postgres on this machine has none.
    """
    mode = dsn.params.get("sslmode", "")
    if mode in PLAIN_MODES:
        return mode
    return "disable" if dsn.host in LOOPBACK else "require"


def fill(text: str, words: Mapping[str, str]) -> str:
    """``text`` with the words that are known; other braces stay."""
    return WORD.sub(lambda match: words.get(match[1], match[0]), text)
