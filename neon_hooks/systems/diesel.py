"""diesel: a directory for each migration, with an up.sql and a down.sql.

Facts: https://diesel.rs/guides/getting-started, /guides/configuring-diesel-cli. The version is the
directory's name up to the first underscore, without dashes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Bookkeeping, Command, Migration, Replayed, Unit, Work
from neon_hooks.systems import diesel_schema
from neon_hooks.systems.base import History, System, id_as_number
from neon_hooks.systems.places import is_foreign, relative, up_from
from neon_hooks.systems.sqlfiles import for_postgres, project_root, text_literal
from neon_hooks.systems.sqltext import same_sql
from neon_hooks.systems.waysback import beside
from neon_hooks.tree import Tree, join, parent

TABLE = "__diesel_schema_migrations"
DEPENDENCY = re.compile(
    r"^\s*(?:diesel(?:_migrations|-async)?\s*[=.]|\[dependencies\.diesel\])", re.MULTILINE
)
ALONE = re.compile(r"^\s*run_in_transaction\s*=\s*false\b", re.MULTILINE)
ERROR = re.compile(r"^Failed to run migrations: Failed to run (\S+) with: (?P<message>[^\n]+)", re.MULTILINE)
# What diesel keeps of SQLSTATE (diesel::result::DatabaseErrorKind).
KIND = re.compile(r"DatabaseError\((\w+),")
SQLSTATES = {
    "UniqueViolation": "23505", "ForeignKeyViolation": "23503", "NotNullViolation": "23502",
    "CheckViolation": "23514", "SerializationFailure": "40001", "ReadOnlyTransaction": "25006",
    "RestrictViolation": "23001", "ExclusionViolation": "23P01",
}  # fmt: skip


def detect(tree: Tree) -> Iterable[Unit]:
    for directory, paths in _directories(tree).items():
        evidence = _evidence(tree, directory)
        if evidence and for_postgres(tree, directory, paths):
            yield at(
                tree, project_root(tree, directory, "migrations"), directory, f"{paths[0]}, and {evidence}"
            )


def _directories(tree: Tree) -> Mapping[str, list[str]]:
    """Every up.sql in a directory whose name begins with a digit, by the directory above that."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in tree.named("up.sql"):
        above, _, name = parent(path).rpartition("/")
        if name[:1].isdigit() and not is_foreign(path):
            found[above].append(path)
    return found


def _evidence(tree: Tree, directory: str) -> str:
    for place in up_from(directory):
        if join(place, "diesel.toml") in tree:
            return join(place, "diesel.toml")
        manifest = join(place, "Cargo.toml")
        if DEPENDENCY.search(tree.text(manifest)):
            return f"{manifest} names diesel"
    return ""


def at(tree: Tree, root: str, migrations_dir: str, evidence: str = "[[systems]] in the settings") -> Unit:
    return Unit("diesel", root, migrations_dir, (evidence,))


def history(unit: Unit, tree: Tree) -> History:
    paths = _directories(tree).get(unit.migrations_dir, [])
    return tuple(sorted((_migration(path, tree) for path in paths), key=lambda migration: migration.id))


def _migration(path: str, tree: Tree) -> Migration:
    name = parent(path).rpartition("/")[2]
    return Migration(name.partition("_")[0].replace("-", ""), path, tree.oids[path])


def apply(unit: Unit, pushed: History) -> Command:
    """Without the project's diesel.toml, in which [print_schema] makes the command write src/schema.rs."""
    return Command(
        (
            *("diesel", "migration", "run", "--migration-dir", relative(unit.migrations_dir, unit.root)),
            *("--config-file", "{files}/diesel.toml", "--database-url", "{url}"),
        ),
        "native",
        files={"diesel.toml": ""},
    )


def down(work: Work, tree: Tree) -> Command:
    up = apply(work.unit, work.pushed)
    return replace(up, argv=("diesel", "migration", "revert", "--number", str(len(work.pushed)), *up.argv[3:]))


def replay(unit: Unit, tree: Tree, pending: History) -> Sequence[Replayed]:
    return [_replayed(migration, tree) for migration in pending]


def _replayed(migration: Migration, tree: Tree) -> Replayed:
    alone = bool(ALONE.search(tree.text(join(parent(migration.path), "metadata.toml"))))
    return Replayed(
        migration.id, migration.path, tree.text(migration.path), transaction=not alone, implicit=alone,
        setup=f"CREATE TABLE IF NOT EXISTS {TABLE} (version varchar(50) PRIMARY KEY NOT NULL,"
        " run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)",
        record=f"INSERT INTO {TABLE} (version) VALUES ({text_literal(migration.id)})",
    )  # fmt: skip


def explain(output: str) -> DatabaseError | None:
    match = ERROR.search(output)
    if not match:
        return None
    kind = KIND.search(output)
    return DatabaseError(SQLSTATES.get(kind[1], "") if kind else "", match["message"])


SYSTEM = System(
    name="diesel", detect=detect, history=history, apply=apply, at=at,
    bookkeeping=lambda unit: Bookkeeping(TABLE, "version"),
    down=down, same=same_sql, number=id_as_number,
    downs=beside(lambda migration: join(parent(migration.path), "down.sql")), replay=replay, explain=explain,
    compare=diesel_schema.compare,
)  # fmt: skip
