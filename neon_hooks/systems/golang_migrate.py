"""golang-migrate: pairs of N_name.up.sql and N_name.down.sql.

Facts: https://github.com/golang-migrate/migrate/blob/master/MIGRATIONS.md and /database/postgres. Its
table has a single row, the version that was reached: a file with a smaller number is skipped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Bookkeeping, Command, Migration, Proof, Refusal, Replayed, Unit, Work
from neon_hooks.systems.base import History, Ids, System, id_as_number, ids
from neon_hooks.systems.places import relative, up_from
from neon_hooks.systems.sqlfiles import (
    UNKNOWN_TO_LIB_PQ, by_number, directly_in, for_postgres, numbered, project_root, quoted, told,
)  # fmt: skip
from neon_hooks.systems.sqltext import same_sql
from neon_hooks.systems.waysback import beside
from neon_hooks.tree import Tree, join

UP = ".up.sql"
TABLE = "schema_migrations"
NUMBER = re.compile(r"\d+(?=_)")
OWNER = re.compile(r"golang-migrate/migrate")
# golang-migrate's image or program, where no go.mod names the library.
STARTED = r"\b(migrate/migrate\b|migrate\s[^\n]*-(?:database|path|source)\b)"
DIRTY = " (dirty)"
ERROR = re.compile(
    r"error: migration failed: (?P<message>.*?) in line (?P<line>\d+): (?P<sql>.*)"
    r"\(details: (?:pq|ERROR): (?P<details>[^\n]*?)(?: \(SQLSTATE (?P<sqlstate>\w{5})\))?\)",
    re.DOTALL,
)


def detect(tree: Tree) -> Iterable[Unit]:
    for directory, paths in numbered(tree, (UP,)).items():
        evidence = _evidence(tree, directory, paths)
        if evidence and for_postgres(tree, directory, paths):
            yield at(tree, project_root(tree, directory, "migrations"), directory, evidence)


def _evidence(tree: Tree, directory: str, paths: list[str]) -> str:
    """sqlx and others name their files in the same way: only the project can say whose they are."""
    for place in up_from(directory):
        if OWNER.search(tree.text(join(place, "go.mod"))):
            return f"{paths[0]}, and {join(place, 'go.mod')} names golang-migrate"
        if join(place, "Cargo.toml") in tree:
            return ""
    in_pairs = any(path.removesuffix(UP) + ".down.sql" in tree for path in paths)
    return (
        f"{paths[0]}, and the project starts migrate" if in_pairs and told(tree, directory, STARTED) else ""
    )


def at(tree: Tree, root: str, migrations_dir: str, evidence: str = "[[systems]] in the settings") -> Unit:
    table = told(tree, root, r"x-migrations-table=([\w]+)")
    return Unit("golang-migrate", root, migrations_dir, (evidence,), {"table": table or TABLE})


def history(unit: Unit, tree: Tree) -> History:
    return by_number(tree, directly_in(tree, unit.migrations_dir, UP), NUMBER)


def apply(unit: Unit, pushed: History) -> Command:
    table = unit.options.get("table", TABLE)
    option = f"&x-migrations-table={table}" if table != TABLE else ""
    return Command(
        ("migrate", "-path", relative(unit.migrations_dir, unit.root), "-database", "{url}" + option, "up"),
        "native",
        unset=UNKNOWN_TO_LIB_PQ,
    )


def down(work: Work, tree: Tree) -> Command:
    up = apply(work.unit, work.pushed)
    return replace(up, argv=(*up.argv[:-1], "down", str(len(work.pushed))))


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(
        unit.options.get("table", TABLE), f"version::text || CASE WHEN dirty THEN '{DIRTY}' ELSE '' END",
        begins=True,
    )


def applied(rows: Ids, history: History) -> Ids:
    """Everything up to the one row; a dirty version is the one that failed."""
    return frozenset(m.id for m in history if any(_is_reached(m, row) for row in rows))


def _is_reached(migration: Migration, row: str) -> bool:
    version = int(_version(row))
    return int(migration.id) < version or (int(migration.id) == version and not row.endswith(DIRTY))


def skipped(unit: Unit, rows: Ids, history: History, pushed: History) -> Ids:
    """What is pushed below a version that was reached without it: it is passed over, now and ever after."""
    new = ids(pushed)
    without = applied(rows, history) - new | frozenset(_version(row) for row in unknown(rows, history))
    last = max(map(int, without), default=-1)
    return frozenset(migration.id for migration in pushed if int(migration.id) < last)


def prove(before: Ids, after: Ids, history: History, pushed: History) -> Proof:
    known = ids(history)
    unexpected = frozenset(row for row in after - before if _version(row) not in known)
    return Proof(missing=known - applied(after, history), unexpected=unexpected)


def _version(row: str) -> str:
    return row.removesuffix(DIRTY)


def unknown(rows: Ids, history: History) -> Ids:
    return frozenset(row for row in rows if _version(row) not in ids(history))


def replay(unit: Unit, tree: Tree, pending: History) -> Sequence[Replayed]:
    """The driver sends a file as one simple query."""
    table = quoted(unit.options.get("table", TABLE))
    return [
        Replayed(
            m.id, m.path, tree.text(m.path), implicit=True,
            setup=f"CREATE TABLE IF NOT EXISTS {table} (version bigint PRIMARY KEY, dirty boolean NOT NULL)",
            record=f"TRUNCATE {table}; INSERT INTO {table} (version, dirty) VALUES ({m.id}, false)",
        )
        for m in pending
    ]  # fmt: skip


def explain(output: str) -> DatabaseError | None:
    match = ERROR.search(output)
    return DatabaseError(match["sqlstate"] or "", match["message"]) if match else None


SYSTEM = System(
    name="golang-migrate", detect=detect, history=history, apply=apply, at=at,
    bookkeeping=bookkeeping, down=down, same=same_sql, applied=applied, prove=prove, unknown=unknown,
    number=id_as_number, downs=beside(lambda migration: migration.path.removesuffix(UP) + ".down.sql"),
    skipped=skipped, replay=replay, explain=explain,
    refusals=lambda unit: (
        Refusal(
            unit.options.get("table", TABLE), "case when dirty then version end",
            "`migrate force {name}`, or force the version before it where nothing of it was kept",
        ),
    ),
)  # fmt: skip
