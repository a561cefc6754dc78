"""The journal as it is read back, and whose each statement is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neon_hooks.facts import DatabaseError, Statement
from neon_hooks.plan import Bookkeeping, Migration
from neon_hooks.run.journal import Journal, attribute, read

ALEMBIC = Bookkeeping("alembic_version", "version_num")
DJANGO = Bookkeeping("django_migrations", "app || '.' || name")
HISTORY = tuple(Migration(id, f"{id}.py", "oid") for id in ("a1", "a1b", "c3"))
APPS = tuple(Migration(id, f"{id}.py", "oid") for id in ("shop.0001_initial", "shop.0002_more"))


def journal(tmp_path: Path, *lines: dict[str, Any] | str) -> Journal:
    path = tmp_path / "journal"
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return read(path, started=1000.0, redact=lambda text: text.replace("secret", "***"))


LOADED = {"kind": "loaded", "pid": 1}
THERE = {"kind": "connect", "pid": 1, "to": "h/1/d", "ours": True}
ELSEWHERE = {"kind": "connect", "pid": 1, "to": "production/1/d", "ours": False}
ONE = {
    "kind": "statement",
    "pid": 1,
    "connection": 7,
    "transaction": 1,
    "number": 1,
    "at": 1000.5,
    "sql": "SELECT 1",
    "ms": 2,
}


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path / "none", started=0, redact=str) == Journal()


@pytest.mark.parametrize(
    ("lines", "redirected"),
    [
        ([], False),
        ([LOADED], True),
        ([LOADED, THERE], True),
        ([LOADED, THERE, ELSEWHERE], False),
        ([LOADED, {"kind": "broken", "what": "psycopg: x"}], False),
        ([THERE], False),
    ],
)
def test_redirected_means_loaded_whole_and_never_elsewhere(
    lines: list[dict[str, Any]], redirected: bool, tmp_path: Path
) -> None:
    assert journal(tmp_path, *lines).redirected is redirected


def test_what_was_cut_off_or_is_none_of_ours_is_passed_over(tmp_path: Path) -> None:
    found = journal(tmp_path, LOADED, "not json\n", "[1]\n", ONE, '{"kind": "statement", "sql": "SEL')
    assert [statement.sql for statement in found.statements] == ["SELECT 1"]


def test_times_count_from_the_start_and_transactions_from_one(tmp_path: Path) -> None:
    other = {**ONE, "pid": 2, "at": 1000.25, "sql": "first", "transaction": 4}
    found = journal(tmp_path, ONE, {**ONE, "at": 1001.0, "sql": "third"}, other).statements
    assert [(s.sql, s.started_ms, s.transaction) for s in found] == [
        ("first", 250.0, 1), ("SELECT 1", 500.0, 2), ("third", 1000.0, 2),
    ]  # fmt: skip


def test_everything_is_redacted(tmp_path: Path) -> None:
    error = {
        "sqlstate": "23505",
        "message": "secret",
        "detail": "secret",
        "hint": "secret",
        "context": "secret",
        "position": "3",
    }
    found = journal(tmp_path, {**ONE, "sql": "secret", "params": "('secret',)", "error": error})
    assert "secret" not in repr(found)
    assert found.statements[0].error == DatabaseError("23505", "***", "***", "***", "***", 3)


def test_the_statement_that_never_ended_is_known(tmp_path: Path) -> None:
    begun = [{"kind": "begin", "pid": 1, "number": n, "sql": f"statement {n}"} for n in (1, 2)]
    assert journal(tmp_path, *begun, ONE).unfinished == "statement 2"


def test_a_refusal_is_told_once(tmp_path: Path) -> None:
    error = {"sqlstate": "42703", "message": "no column"}
    refused = {"kind": "refused", "pid": 1, "at": 1000.1, "sql": "SELECT x", "error": error}
    assert len(journal(tmp_path, refused, {**ONE, "error": error}).statements) == 1
    assert [s.sql for s in journal(tmp_path, refused, ONE).statements] == ["SELECT x", "SELECT 1"]


def paths(
    sql: list[str], history: tuple[Migration, ...] = HISTORY, kept: Bookkeeping = ALEMBIC, **more: Any
) -> list[str]:
    statements = [Statement(text.partition(" -- ")[0], params=text.partition(" -- ")[2]) for text in sql]
    return [s.path for s in attribute(statements, history, kept, **more)]


def test_what_comes_before_a_write_of_an_id_is_that_ids() -> None:
    assert paths([
        "CREATE TABLE x", "INSERT INTO alembic_version VALUES ('a1')", "ALTER TABLE x",
        "UPDATE alembic_version SET version_num='a1b' WHERE version_num='a1'",
    ]) == ["a1.py", "", "a1b.py", ""]  # fmt: skip


def test_what_fails_is_the_next_ones() -> None:
    sql = ["UPDATE alembic_version SET version_num='a1b' WHERE version_num='a1'", "ALTER TABLE x"]
    assert paths(sql) == ["", "c3.py"]
    assert paths(["ALTER TABLE x"], applied=frozenset({"a1", "a1b"})) == ["c3.py"]


def test_where_the_write_begins_a_migration_what_follows_is_that_ids() -> None:
    prisma = Bookkeeping("_prisma_migrations", "migration_name", begins=True)
    sql = [
        "SET x", "INSERT INTO _prisma_migrations VALUES ('a1')", "ALTER TABLE x", "UPDATE _prisma_migrations SET y",
        "INSERT INTO _prisma_migrations VALUES ('a1b')", "ALTER TABLE y",
    ]  # fmt: skip
    assert paths(sql, kept=prisma, applied=frozenset()) == ["", "", "a1.py", "", "", "a1b.py"]
    assert paths(["ALTER TABLE x"], kept=prisma, applied=frozenset({"a1"})) == ["a1b.py"]


def test_where_nothing_was_written_and_nothing_is_known_nothing_is_claimed() -> None:
    assert paths(["ALTER TABLE x"]) == [""]
    assert paths(["ALTER TABLE x"], applied=frozenset({"a1", "a1b", "c3"})) == [""]


def test_an_id_in_two_values_is_found() -> None:
    sql = [
        "CREATE TABLE a",
        'INSERT INTO "django_migrations" VALUES (%s, %s) -- (\'shop\', \'0001_initial\', x)',
        "CREATE TABLE b", 'INSERT INTO "django_migrations" VALUES (%s, %s) -- (\'shop\', \'0002_more\', x)',
        "INSERT INTO permissions",
    ]  # fmt: skip
    assert paths(sql, APPS, DJANGO) == ["shop.0001_initial.py", "", "shop.0002_more.py", "", ""]


def test_reading_and_creating_the_bookkeeping_is_nobodys() -> None:
    sql = [
        "CREATE TABLE alembic_version",
        "SELECT a1 FROM alembic_version",
        "INSERT INTO alembic_version VALUES ('c3')",
    ]
    assert paths(sql) == ["", "", ""]


def test_what_a_tool_asks_before_it_begins_is_nobodys() -> None:
    sql = [
        "SELECT version()", "SHOW x", "SELECT n FROM pg_class WHERE relname = $1 -- ['alembic_version']",
        "BEGIN", "SELECT version_num FROM alembic_version", "SELECT c.oid FROM pg_catalog.pg_class c", "BEGIN",
        "ALTER TABLE x", "UPDATE alembic_version SET version_num='a1'",
    ]  # fmt: skip
    assert paths(sql) == [*[""] * 6, "a1.py", "a1.py", ""]


def test_what_was_changed_before_the_bookkeeping_is_looked_at_is_kept() -> None:
    sql = ["ALTER TABLE x", "SELECT version_num FROM alembic_version", "INSERT INTO alembic_version VALUES ('a1')"]
    assert paths(sql) == ["a1.py", "", ""]


def test_a_tools_lock_is_part_of_its_bookkeeping() -> None:
    knex = Bookkeeping("knex_migrations", "name")
    sql = ["BEGIN", "UPDATE knex_migrations_lock SET x", "COMMIT", "SELECT max(batch) FROM knex_migrations",
           "ALTER TABLE x", "INSERT INTO knex_migrations VALUES ('a1')"]  # fmt: skip
    assert paths(sql, kept=knex) == ["", "", "", "", "a1.py", ""]


def test_the_commit_after_the_write_of_an_id_is_that_ids() -> None:
    sql = ["ALTER TABLE x", "INSERT INTO alembic_version VALUES ('a1')", "COMMIT", "BEGIN", "ALTER TABLE y"]
    statements = [Statement(text, transaction=1 + (n > 2)) for n, text in enumerate(sql)]
    found = attribute(statements, HISTORY, ALEMBIC, applied=frozenset())
    assert [s.path for s in found] == ["a1.py", "", "a1.py", "a1b.py", "a1b.py"]
