"""sqlx: numbered SQL files of a Rust project, simple or in pairs of .up.sql and .down.sql.

Facts: https://docs.rs/sqlx/latest/sqlx/macro.migrate.html and sqlx-cli's README. sqlx keeps a checksum
(SHA-384) of every file that it has applied, and refuses to go on when one was edited.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Bookkeeping, Command, Migration, Refusal, Replayed, Unit, Work
from neon_hooks.systems.base import History, System, any_line_ends, id_as_number
from neon_hooks.systems.dbmate import UP as DBMATE
from neon_hooks.systems.goose import UP as GOOSE
from neon_hooks.systems.places import relative, up_from
from neon_hooks.systems.sql import PLACE
from neon_hooks.systems.sqlfiles import (
    by_number,
    directly_in,
    for_postgres,
    numbered,
    project_root,
    text_literal,
    told,
)
from neon_hooks.systems.waysback import beside
from neon_hooks.tree import Tree, join

TABLE = "_sqlx_migrations"
NUMBER = re.compile(r"\d+(?=_)")
DEPENDENCY = re.compile(r"^\s*(?:sqlx\s*[=.]|\[(?:workspace\.)?dependencies\.sqlx\])", re.MULTILINE)
PREPARED = (".sqlx", "sqlx-data.json")  # what `cargo sqlx prepare` writes
ALONE = "-- no-transaction"
ERROR = re.compile(
    r"^error: (?:while executing migration \S+: )?error returned from database: (.+)$", re.MULTILINE
)


def detect(tree: Tree) -> Iterable[Unit]:
    for directory, paths in numbered(tree).items():
        up = [
            path for path in paths if NUMBER.match(path.rpartition("/")[2]) and not path.endswith(".down.sql")
        ]
        if not up or not PLACE.fullmatch(directory) or _is_another_tools(tree.text(up[0])):
            continue
        evidence = _evidence(tree, directory)
        if evidence and for_postgres(tree, directory, up):
            yield at(tree, project_root(tree, directory, "migrations"), directory, evidence)


def _is_another_tools(text: str) -> bool:
    return bool(DBMATE.search(text) or GOOSE.search(text))


def _evidence(tree: Tree, directory: str) -> str:
    """A Cargo.toml above that names sqlx; in a workspace it may be another member's."""
    for place in up_from(directory):
        manifest = join(place, "Cargo.toml")
        text = tree.text(manifest)
        if DEPENDENCY.search(text):
            return f"{manifest} names sqlx"
        prepared = next(
            (name for name in PREPARED if join(place, name) in tree or tree.below(join(place, name))), ""
        )
        if prepared:
            return f"{join(place, prepared)} is sqlx's"
        if "[workspace]" in text:
            return next(
                (
                    f"{path} names sqlx"
                    for path in tree.named("Cargo.toml")
                    if path.startswith(place) and DEPENDENCY.search(tree.text(path))
                ),
                "",
            )
    return ""


def at(tree: Tree, root: str, migrations_dir: str, evidence: str = "[[systems]] in the settings") -> Unit:
    missing = told(tree, root, r"sqlx\s+migrate\s+run\b[^\n]*\s--(ignore-missing)\b")
    return Unit("sqlx", root, migrations_dir, (evidence,), {"ignore_missing": missing})


def history(unit: Unit, tree: Tree) -> History:
    paths = directly_in(tree, unit.migrations_dir, ".sql")
    return by_number(tree, (path for path in paths if not path.endswith(".down.sql")), NUMBER)


def apply(unit: Unit, pushed: History) -> Command:
    missing = ("--ignore-missing",) if unit.options.get("ignore_missing") else ()
    source = relative(unit.migrations_dir, unit.root)
    return Command(
        ("sqlx", "migrate", "run", "--source", source, "--database-url", "{url}", *missing), "native"
    )


def down(work: Work, tree: Tree) -> Command:
    up = apply(work.unit, work.pushed)
    return replace(up, argv=("sqlx", "migrate", "revert", *up.argv[3:]))


def replay(unit: Unit, tree: Tree, pending: History) -> Sequence[Replayed]:
    return [_replayed(migration, tree.content(migration.path)) for migration in pending]


COLUMNS = "version, description, success, checksum, execution_time"
SETUP = f"""\
CREATE TABLE IF NOT EXISTS {TABLE} (version bigint PRIMARY KEY, description text NOT NULL,
    installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL,
    execution_time bigint NOT NULL)"""


def _replayed(migration: Migration, content: bytes) -> Replayed:
    text = content.decode("utf-8", "replace")
    name = migration.path.rpartition("/")[2].partition("_")[2]
    description = name.removesuffix(".sql").removesuffix(".up").replace("_", " ")
    values = (
        f"{migration.id}, {text_literal(description)}, true, '\\x{hashlib.sha384(content).hexdigest()}', -1"
    )
    alone = text.startswith(ALONE)
    return Replayed(
        migration.id, migration.path, text, transaction=not alone, implicit=alone, setup=SETUP,
        record=f"INSERT INTO {TABLE} ({COLUMNS}) VALUES ({values})",
    )  # fmt: skip


def checksums(tree: Tree, migration: Migration) -> Iterable[str]:
    return (hashlib.sha384(each).hexdigest() for each in any_line_ends(tree.content(migration.path)))


def down_file(migration: Migration) -> str:
    """Only one of a pair has a way back."""
    pair = migration.path.endswith(".up.sql")
    return migration.path.removesuffix(".up.sql") + ".down.sql" if pair else ""


def explain(output: str) -> DatabaseError | None:
    match = ERROR.search(output)
    return DatabaseError("", match[1]) if match else None


SYSTEM = System(
    name="sqlx", detect=detect, history=history, apply=apply, at=at,
    # A file that failed outside of a transaction leaves a row without success.
    bookkeeping=lambda unit: Bookkeeping(
        TABLE, "CASE WHEN success THEN version::text END", checksum_sql="encode(checksum, 'hex')"
    ),
    down=down, down_one=True, checksums=checksums,
    number=id_as_number, downs=beside(down_file), replay=replay, explain=explain,
    refusals=lambda unit: (
        Refusal(TABLE, "case when not success then version end", f"delete its row from {TABLE}, as sqlx has no command for it"),
    ),
)  # fmt: skip
