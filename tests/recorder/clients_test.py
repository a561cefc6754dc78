"""Real clients of every family: what they print, and every byte that they are sent, is the same with and
without the recorder, while it looks and counts.

Each program of clients/ plays the same scenario: DDL, parameters of several types, errors inside and outside
of transactions, savepoints, notices, COPY both ways and failing, cursors, large values and results, LISTEN
and NOTIFY over a second connection, cancel.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from neon_hooks.dsn import Dsn
from neon_hooks.recorder import COUNT, SNAPSHOT, Recorder, Recording
from tests.fix_jvm import jvm_program
from tests.fix_native import built_go
from tests.fix_systems import Postgres, python_environment
from tests.fix_tools import node_modules
from tests.recorder.tap import Tap

CLIENTS = Path(__file__).parent / "clients"
LOCKS = (
    "select coalesce(pg_catalog.string_agg(l.mode, ',' order by l.mode), '') from pg_catalog.pg_locks l"
    " where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.relation >= 16384"
)
Argv = Callable[[Dsn], Sequence[str]]
Make = Callable[[], Argv]


def count(sql: str) -> str:
    return "select pg_catalog.count(*)::text from t" if re.search(r"drop (column|table)", sql) else ""


def python(program: str) -> Make:
    def make() -> Argv:
        interpreter = str(python_environment("sqlalchemy"))
        return lambda dsn: (interpreter, str(CLIENTS / program), dsn.uri())

    return make


def node(program: str) -> Make:
    def make() -> Argv:
        modules = node_modules("drivers")
        copied = modules.parent / program  # modules are looked for beside the program
        shutil.copy(CLIENTS / program, copied)
        return lambda dsn: ("node", str(copied), dsn.uri())

    return make


def ruby() -> Argv:
    if subprocess.run(("ruby", "-rpg", "-e", ""), capture_output=True, check=False).returncode:
        pytest.skip("needs ruby with pg (the Debian package ruby-pg)")
    return lambda dsn: ("ruby", str(CLIENTS / "ruby_pg.rb"), dsn.uri())


def jdbc() -> Argv:
    (jar,) = (jvm_program("liquibase").parent / "lib").glob("postgresql-*.jar")

    def argv(dsn: Dsn) -> Sequence[str]:
        url = f"jdbc:postgresql://{dsn.host}:{dsn.port}/{dsn.database}?sslmode={dsn.params.get('sslmode', 'prefer')}"
        return "java", "-XX:TieredStopAtLevel=1", "-cp", str(jar), str(CLIENTS / "Jdbc.java"), url, dsn.user, dsn.password

    return argv


def go(driver: str) -> Make:
    def make() -> Argv:
        program = built_go(CLIENTS / "go")
        return lambda dsn: (str(program), driver, dsn.uri())

    return make


def psql() -> Argv:
    if not shutil.which("psql"):
        pytest.skip("needs psql (the Debian package postgresql-client)")
    return lambda dsn: ("psql", "-X", "-a", "-f", str(CLIENTS / "script.sql"), dsn.uri())


FAMILIES: dict[str, Make] = {
    "psycopg": python("psycopg3.py"), "psycopg2": python("psycopg2_.py"), "asyncpg": python("asyncpg_.py"),
    "pg8000": python("pg8000_.py"), "psql": psql, "ruby-pg": ruby, "node-pg": node("pg.mjs"),
    "postgres.js": node("postgresjs.mjs"), "jdbc": jdbc, "pgx": go("pgx"), "lib-pq": go("pq"),
}  # fmt: skip
CANCEL_NOTHING = ("pg8000", "node-pg", "psql")  # cannot, or ask by SQL
INSISTING = {family: ("insist",) for family in ("asyncpg", "pg8000", "node-pg", "postgres.js")}  # not by the URL
Conversations = list[list[tuple[str, bytes]]]
Direct = Callable[[str, Argv], tuple[bytes, Conversations]]
# What cannot be the same twice, on one server, with nobody in between.
VOLATILE = re.compile(rb"test_\d+_\d+|server process with PID \d+")


def output(argv: Sequence[str]) -> bytes:
    done = subprocess.run(argv, capture_output=True, timeout=120, check=False, env={**os.environ, "TZ": "UTC"})
    text = done.stdout + b"\n" + done.stderr
    assert done.returncode in (0, 3), text.decode()
    return VOLATILE.sub(b"", text)


@pytest.fixture(scope="module")
def direct(postgres: Postgres) -> Direct:
    """What a family prints and is sent without the recorder."""
    known: dict[str, tuple[bytes, Conversations]] = {}

    def direct(family: str, argv: Argv) -> tuple[bytes, Conversations]:
        if family not in known:
            with Tap(postgres.database().with_params(sslmode="disable")) as tap:
                known[family] = output(argv(tap.dsn)), tap.said()
        return known[family]

    return direct


def assert_looked(recording: Recording, family: str) -> None:
    assert {injection.purpose for injection in recording.injections} == {SNAPSHOT, COUNT}
    assert any("Lock" in injection.text for injection in recording.injections)
    assert not any(injection.failed for injection in recording.injections)
    assert [peer.blind for peer in recording.peers if peer.blind] == []
    assert recording.troubles == []
    assert recording.cancels == (0 if family in CANCEL_NOTHING else 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_client_sees_the_same_with_and_without_it(postgres: Postgres, direct: Direct, family: str) -> None:
    argv = FAMILIES[family]()
    wanted, said = direct(family, argv)
    with Recorder(postgres.database(), snapshot=LOCKS, count=count) as recorder, Tap(recorder.dsn) as tap:
        printed = output(argv(tap.dsn))
    assert printed.decode() == wanted.decode()
    for number, (with_it, without_it) in enumerate(zip(tap.said(), said, strict=True)):
        assert with_it == without_it, f"connection {number}"
    assert_looked(recorder.recording, family)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_client_that_insists_on_tls_sees_the_same(postgres: Postgres, direct: Direct, family: str) -> None:
    argv = FAMILIES[family]()
    wanted, _ = direct(family, argv)
    with Recorder(postgres.database(), snapshot=LOCKS, count=count) as recorder:
        insisting = (*argv(recorder.dsn.with_params(sslmode="require")), *INSISTING.get(family, ()))
        printed = output(insisting)
    assert printed.decode() == wanted.decode()
    assert all(peer.tls for peer in recorder.recording.peers if peer.pid)
    assert_looked(recorder.recording, family)
