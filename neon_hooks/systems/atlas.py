"""Atlas, with versioned migrations: SQL files in a directory with an atlas.sum.

Facts: https://atlasgo.io/versioned/apply, /concepts/migration-directory-integrity. Where the files bear the
marks of another tool, or that tool's names, it is that tool which applies them, and Atlas only checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Bookkeeping, Command, Migration, Proof, Unit, Written
from neon_hooks.systems.base import History, Ids, System, id_as_number, ids
from neon_hooks.systems.places import own, relative
from neon_hooks.systems.sqlfiles import UNKNOWN_TO_LIB_PQ, for_postgres, project_root, told
from neon_hooks.tree import Tree, join, parent

SUM = "atlas.sum"
TABLE = "atlas_schema_revisions"  # of the schema of the same name, unless told otherwise
BASELINE = " (baseline)"
ALONE = re.compile(r"^--[ \t]*atlas:txmode[ \t]+none\b", re.MULTILINE)
ANOTHER_TOOLS = re.compile(
    r"^--\s*(?:\+goose|migrate:up|\+migrate|liquibase)|--> statement-breakpoint", re.MULTILINE
)
ANOTHER_NAME = re.compile(r".*\.(?:up|down)\.sql|[VUR]\d*__.*\.sql")
ERROR = re.compile(
    r"(?:pq|ERROR): (?P<message>[^\n]+?)(?: \((?:SQLSTATE )?(?P<sqlstate>\w{5})\))?\"?$", re.MULTILINE
)


def detect(tree: Tree) -> Iterable[Unit]:
    for path in own(tree.named(SUM)):
        directory = parent(path)
        files = _files(tree, directory)
        others = any(ANOTHER_TOOLS.search(tree.text(file)) for file in files[:1] + files[-1:])
        if files and not others and for_postgres(tree, directory, files):
            yield at(tree, project_root(tree, directory, "migrations"), directory, path)


def at(tree: Tree, root: str, migrations_dir: str, evidence: str = "[[systems]] in the settings") -> Unit:
    schema = told(tree, root, r"--revisions-schema[= ]+[\"']?(\w+)")
    return Unit("atlas", root, migrations_dir, (evidence,), {"revisions_schema": schema})


def _files(tree: Tree, directory: str) -> list[str]:
    names = (path for path in tree.below(directory) if parent(path) == directory and path.endswith(".sql"))
    return [path for path in names if not ANOTHER_NAME.fullmatch(path.rpartition("/")[2])]


def history(unit: Unit, tree: Tree) -> History:
    """In the order of the names; the version is the name up to the first underscore."""
    return tuple(
        Migration(_version(path), path, tree.oids[path]) for path in _files(tree, unit.migrations_dir)
    )


def _version(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".sql").partition("_")[0]


def apply(unit: Unit, pushed: History) -> Command:
    """Without --env, so that no address of atlas.hcl counts."""
    schema = unit.options.get("revisions_schema")
    return Command(
        (
            *("atlas", "migrate", "apply", "--dir", f"file://{relative(unit.migrations_dir, unit.root)}"),
            *("--url", "{url}", *(("--revisions-schema", schema) if schema else ())),
        ),
        "native",
        environment={"ATLAS_NO_UPDATE_NOTIFIER": "true"},
        unset=UNKNOWN_TO_LIB_PQ,
        url_schemes=("postgres",),
    )


def bookkeeping(unit: Unit) -> Bookkeeping:
    """Atlas' own rows begin with a dot; a file that failed half-way has more statements than were applied."""
    return Bookkeeping(
        TABLE,
        "CASE WHEN entry.version NOT LIKE '.%' AND (entry.applied = entry.total OR entry.type & 1 = 1)"
        f" THEN entry.version || CASE WHEN entry.type & 1 = 1 THEN '{BASELINE}' ELSE '' END END",
        schema=unit.options.get("revisions_schema") or None,
        begins=True,
    )


def applied(rows: Ids, history: History) -> Ids:
    """A baseline stands for everything up to it."""
    base = max((row.removesuffix(BASELINE) for row in rows if row.endswith(BASELINE)), default="")
    return frozenset(m.id for m in history if m.id in rows or m.id <= base)


def prove(before: Ids, after: Ids, history: History, pushed: History) -> Proof:
    new = frozenset(row.removesuffix(BASELINE) for row in after - before)
    return Proof(missing=ids(history) - applied(after, history), unexpected=new - ids(history))


def unknown(rows: Ids, history: History) -> Ids:
    return frozenset(row for row in rows if not row.endswith(BASELINE)) - ids(history)


def written(unit: Unit, tree: Tree, migration: Migration) -> Written:
    """A file is one transaction, unless a directive says otherwise (https://atlasgo.io/versioned/apply)."""
    text = tree.text(migration.path)
    return Written(migration.path, text, transaction=not ALONE.search(text))


def explain(output: str) -> DatabaseError | None:
    match = ERROR.search(output)
    return DatabaseError(match["sqlstate"] or "", match["message"]) if match else None


SYSTEM = System(
    name="atlas", detect=detect, history=history, apply=apply, at=at, bookkeeping=bookkeeping,
    applied=applied, prove=prove, unknown=unknown, number=id_as_number,
    watch=lambda unit: (join(unit.migrations_dir, SUM),), explain=explain, written=written,
)  # fmt: skip
