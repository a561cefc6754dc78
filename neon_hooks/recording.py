"""``neon-hooks record``: the queries of an application, as its own test suite sends them, for `[trials] queries`.

The command is started with the flight recorder between it and its database. That must be one on this machine: tests
write, and a test database is what they are for. What is kept are texts without literals; what is left out are
statements that failed, that are no queries, or that ask about the server.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.findings import counted
from neon_hooks.queries import distinct, is_about_the_server, is_query, without_literals
from neon_hooks.recorder import LOCAL, Exchange, Recorder
from neon_hooks.report import out
from neon_hooks.run.dialects import translated
from neon_hooks.run.environment import FIELDS, PART_NAME
from neon_hooks.sqlscript import split

VARIABLE = "DATABASE_URL"
NAME_IT = "--url-variable names the variable with the URL of its database"
HEAD = """\
-- The queries that `{command}` sent, written by `neon-hooks record`.
-- Literals are parameters here; lists of them are as long as the shortest that was seen.
"""


def record(argv: Sequence[str], output: Path, environ: Mapping[str, str], variable: str = VARIABLE) -> int:
    """Run ``argv`` and write the file ``output``. The exit code is that of the command.

    Raises UsageError and Unavailable.
    """
    target = local_target(environ, variable)
    with Recorder(target) as recorder:
        try:
            code = subprocess.call(argv, env=led(environ, target, recorder.dsn))
        except OSError as error:
            raise UsageError(f"cannot start {argv[0]}: {error.strerror}", fix="name a command after --") from None
    recording = recorder.recording
    if not any(peer.pid for peer in recording.peers):
        raise Unavailable(f"`{shlex.join(argv)}` made no connection to {target}", fix=NAME_IT)
    found = queries_of(recording.exchanges)
    lines = [HEAD.format(command=" ".join(argv[:2])), *(f"{query};" for query in found)]
    out.save(output, "\n".join(lines))
    kind = "query" if len(found) == 1 else "queries"
    out.say(f"wrote {counted(len(found), kind, '')} of {counted(len(recording.exchanges), 'statement')} to {output}")
    return code


def local_target(environ: Mapping[str, str], variable: str) -> Dsn:
    """Where the command finds its database. Raises UsageError where that is not this machine."""
    value = environ.get(variable, "")
    if not value:
        raise UsageError(f"{variable} is not set", fix=f"set it to the address of a test database; {NAME_IT}")
    try:
        target = Dsn.parse(value)
    except UsageError as error:
        raise UsageError(f"{variable}: {error.message}", fix=error.fix) from None
    if target.host not in LOCAL:
        raise UsageError(
            f"{variable} leads to {target.host}, and only a database on this machine is recorded",
            fix="start one here (`neon-hooks emulator` is one), as tests write",
        )
    return target


def led(environ: Mapping[str, str], target: Dsn, recorder: Dsn) -> dict[str, str]:
    """The environment with every address of the ``target`` led through the recorder, whichever database it names."""
    return {name: _led(name, value, target, recorder) for name, value in environ.items()} | (
        {"PGSSLMODE": "disable"} if "PGSSLMODE" in environ else {}
    )


def _led(name: str, value: str, target: Dsn, recorder: Dsn) -> str:
    part = PART_NAME.search(name)
    field = FIELDS[part["part"].upper()] if part else ""
    if field == "port" and value == str(target.port):
        return str(recorder.port)
    if field == "host" and value in LOCAL:
        return recorder.host
    try:
        found = Dsn.parse(value)
    except UsageError:
        return value
    if found.host not in LOCAL or found.port != target.port:
        return value
    kept = {key: each for key, each in found.params.items() if not key.startswith(("ssl", "channel_", "gss"))}
    params = MappingProxyType({**kept, "sslmode": "disable"})
    return translated(value, replace(found, host=recorder.host, port=recorder.port, params=params))


def queries_of(exchanges: Iterable[Exchange]) -> list[str]:
    return distinct(_texts(exchanges))


def _texts(exchanges: Iterable[Exchange]) -> Iterator[str]:
    seen: set[str] = set()
    for exchange in exchanges:
        if exchange.sql in seen or exchange.error or exchange.cut or not exchange.results:
            continue
        seen.add(exchange.sql)
        for part in split(exchange.sql):
            if is_query(part) and not is_about_the_server(part.text):
                yield without_literals(part.text)
