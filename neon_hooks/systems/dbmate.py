"""dbmate: SQL files with an up and a down part.

Facts: https://github.com/amacneil/dbmate#usage. ``migrate`` and not ``up``, which would create databases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Bookkeeping, Command, Migration, Replayed, Unit, Work
from neon_hooks.systems.base import History, System, id_as_number
from neon_hooks.systems.places import relative
from neon_hooks.systems.sqlfiles import (
    UNKNOWN_TO_LIB_PQ, directly_in, marked, project_root, quoted, text_literal, told,
)  # fmt: skip
from neon_hooks.systems.sqltext import same_sql
from neon_hooks.systems.waysback import after, within
from neon_hooks.tree import Tree

DEFAULT_DIR = "db/migrations"
TABLE = "schema_migrations"
UP = re.compile(r"^--[ \t]*migrate:up(?P<options>[ \t]+[^\n]*)?[ \t\r]*$", re.MULTILINE)
DOWN = re.compile(r"^--[ \t]*migrate:down\b", re.MULTILINE)
ERROR = re.compile(
    r"^Error: pq: (?P<message>.+?)(?: at (?:position|column)[^(]*)? \((?P<sqlstate>\w{5})\)$", re.MULTILINE
)


def detect(tree: Tree) -> Iterable[Unit]:
    for directory, paths in marked(tree, UP):
        yield at(
            tree, project_root(tree, directory, DEFAULT_DIR), directory, f"{paths[0]} has `-- migrate:up`"
        )


def at(tree: Tree, root: str, migrations_dir: str, evidence: str = "[[systems]] in the settings") -> Unit:
    table = told(
        tree,
        root,
        r"DBMATE_MIGRATIONS_TABLE\s*[=:]\s*[\"']?([\w.]+)",
        r"--migrations-table[= ]+[\"']?([\w.]+)",
    )
    return Unit("dbmate", root, migrations_dir, (evidence,), {"table": table or TABLE})


def history(unit: Unit, tree: Tree) -> History:
    """In the order of the names; the id is the number as it is written, zeros and all."""
    paths = directly_in(tree, unit.migrations_dir, ".sql")
    return tuple(Migration(_version(path), path, tree.oids[path]) for path in sorted(paths))


def _version(path: str) -> str:
    match = re.match(r"\d+", path.rpartition("/")[2])
    assert match, "directly_in returns only names that begin with a digit"
    return match[0]


def up_part(text: str) -> tuple[str, int, str]:
    """(the SQL that goes up, the lines before it, the options of its mark)."""
    begin = UP.search(text)
    if not begin:
        return "", 0, ""
    end = DOWN.search(text, begin.end())
    return (
        text[begin.end() : end.start() if end else None],
        text.count("\n", 0, begin.end()),
        begin["options"] or "",
    )


def same(before: bytes, after: bytes) -> bool:
    """No checksum is kept: only what goes up counts."""
    parts = [up_part(content.decode("utf-8", "replace"))[0].encode() for content in (before, after)]
    return same_sql(*parts)


def apply(unit: Unit, pushed: History) -> Command:
    return Command(
        (
            *("dbmate", "--url", "{url}", "--migrations-dir", relative(unit.migrations_dir, unit.root)),
            *("--migrations-table", unit.options.get("table", TABLE), "--no-dump-schema", "migrate"),
        ),
        "native",
        unset=UNKNOWN_TO_LIB_PQ,
    )


def down(work: Work, tree: Tree) -> Command:
    up = apply(work.unit, work.pushed)
    return replace(up, argv=(*up.argv[:-1], "rollback"))


def replay(unit: Unit, tree: Tree, pending: History) -> Sequence[Replayed]:
    table = quoted(unit.options.get("table", TABLE))
    return [_replayed(migration, tree.text(migration.path), table) for migration in pending]


def _replayed(migration: Migration, text: str, table: str) -> Replayed:
    sql, offset, options = up_part(text)
    alone = "transaction:false" in options
    return Replayed(
        migration.id, migration.path, sql, offset, transaction=not alone, implicit=alone,
        setup=f"CREATE TABLE IF NOT EXISTS {table} (version varchar PRIMARY KEY)",
        record=f"INSERT INTO {table} (version) VALUES ({text_literal(migration.id)})",
    )  # fmt: skip


def explain(output: str) -> DatabaseError | None:
    match = ERROR.search(output)
    return DatabaseError(match["sqlstate"], match["message"]) if match else None


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(unit.options.get("table", TABLE).rpartition(".")[2], "version::text")


SYSTEM = System(
    name="dbmate", detect=detect, history=history, apply=apply, at=at, default_dir=DEFAULT_DIR,
    bookkeeping=bookkeeping, down=down, down_one=True, same=same, number=id_as_number,
    downs=within(after(DOWN)), replay=replay, explain=explain,
)  # fmt: skip
