"""goose: SQL files with an Up and a Down part; Go files only where the project builds its own goose.

Facts: https://pressly.github.io/goose/documentation/annotations/ and /environment-variables/. Its
variables are put in front of the command line's words, and win over an .env file (godotenv).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from neon_hooks.errors import Unavailable
from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Bookkeeping, Command, Migration, Replayed, Unit, Work, Written
from neon_hooks.systems.base import History, System, below, id_as_number
from neon_hooks.systems.places import first_file, relative, up_from
from neon_hooks.systems.sqlfiles import (
    OTHER_DRIVERS, POSTGRES_DRIVERS, by_number, directly_in, marked, numbered, project_root, quoted, told,
)  # fmt: skip
from neon_hooks.systems.sqltext import TOKEN, same_sql
from neon_hooks.systems.waysback import after, within
from neon_hooks.tree import Tree

DEFAULT_DIR = "migrations"
TABLE = "goose_db_version"
MARK = r"^--[ \t]*\+goose[ \t]+"
UP = re.compile(MARK + r"Up\b[^\n]*$", re.MULTILINE | re.IGNORECASE)
DOWN = re.compile(MARK + r"Down\b", re.MULTILINE | re.IGNORECASE)
ANY = re.compile(MARK + r".*$", re.MULTILINE | re.IGNORECASE)
ALONE = re.compile(MARK + r"NO[ \t]+TRANSACTION\b", re.MULTILINE | re.IGNORECASE)
SUBSTITUTED = re.compile(MARK + r"ENVSUB[ \t]+ON\b", re.MULTILINE | re.IGNORECASE)
BLOCK = re.compile(
    MARK + r"StatementBegin\b.*?" + MARK + r"StatementEnd\b", re.MULTILINE | re.IGNORECASE | re.DOTALL
)
END_OF_LINE = re.compile(r";[ \t\r]*$", re.MULTILINE)
NUMBER = re.compile(r"\d+(?=_)")
IN_GO = re.compile(r"\bgoose\.Add(?:Named)?Migration")
ERROR = re.compile(
    r"ERROR (?P<file>\S+): failed to run SQL migration: (?P<what>.*?)"
    r"(?:ERROR: )?(?P<message>[^\n]*?) \(SQLSTATE (?P<sqlstate>\w{5})\)",
    re.DOTALL,
)


def detect(tree: Tree) -> Iterable[Unit]:
    for directory, paths in marked(tree, UP):
        if _is_another_databases(tree, directory):
            continue
        yield at(
            tree, project_root(tree, directory, DEFAULT_DIR), directory, f"{paths[0]} has `-- +goose Up`"
        )
    in_sql = numbered(tree)
    for directory, paths in numbered(tree, (".go",)).items():
        if directory not in in_sql and _is_ours_in_go(tree, directory, paths):
            yield at(tree, project_root(tree, directory, DEFAULT_DIR), directory, f"{paths[0]} calls goose")


def _is_another_databases(tree: Tree, directory: str) -> bool:
    """Whether the program around has a driver, and none for Postgres."""
    drivers = tree.text(first_file(tree, up_from(directory), "go.mod"))
    return bool(OTHER_DRIVERS.search(drivers)) and not POSTGRES_DRIVERS.search(drivers)


def _is_ours_in_go(tree: Tree, directory: str, paths: list[str]) -> bool:
    if not any(IN_GO.search(tree.text(path)) for path in (paths[0], paths[-1])):
        return False
    drivers = tree.text(first_file(tree, up_from(directory), "go.mod"))
    return bool(POSTGRES_DRIVERS.search(drivers)) and not OTHER_DRIVERS.search(drivers)


def at(tree: Tree, root: str, migrations_dir: str, evidence: str = "[[systems]] in the settings") -> Unit:
    table = told(
        tree, root, r"GOOSE_TABLE\s*[=:]\s*[\"']?([\w.]+)", r"goose\b[^\n]*\s--?table[= ]+[\"']?([\w.]+)"
    )
    missing = told(tree, root, r"goose\b[^\n]*\s--?(allow-missing)\b")
    return Unit(
        "goose", root, migrations_dir, (evidence,), {"table": table or TABLE, "allow_missing": missing}
    )


def history(unit: Unit, tree: Tree) -> History:
    paths = [path for suffix in (".sql", ".go") for path in directly_in(tree, unit.migrations_dir, suffix)]
    return by_number(tree, (path for path in paths if not path.endswith("_test.go")), NUMBER)


def apply(unit: Unit, pushed: History) -> Command:
    """Raises Unavailable for Go migrations, which only the project's own goose can run."""
    in_go = next((migration.path for migration in pushed if migration.path.endswith(".go")), "")
    if in_go:
        raise Unavailable(
            f"{in_go} is compiled into the project's own goose binary, which cannot be built here",
            fix='name that binary in an entry of [[systems]]: command = "bin/goose up",'
            ' url_variables = ["GOOSE_DBSTRING"]',
        )
    missing = ("-allow-missing",) if unit.options.get("allow_missing") else ()
    table = unit.options.get("table", TABLE)
    directory = relative(unit.migrations_dir, unit.root)
    return Command(
        ("goose", "-dir", directory, "-table", table, *missing, "up"),
        "native",
        environment={"GOOSE_DRIVER": "postgres", "GOOSE_DBSTRING": "{url}", "GOOSE_TABLE": table},
    )


def down(work: Work, tree: Tree) -> Command:
    up = apply(work.unit, work.pushed)
    words = [word for word in up.argv[:-1] if word != "-allow-missing"]
    return replace(up, argv=(*words, "down-to", below(work) or "0"))


def up_part(text: str) -> tuple[str, int]:
    """(the SQL that goes up, the lines before it). StatementBegin and -End are comments to Postgres."""
    begin = UP.search(text)
    if not begin:
        return "", 0
    end = DOWN.search(text, begin.end())
    return text[begin.end() : end.start() if end else None], text.count("\n", 0, begin.end())


def same(before: bytes, after: bytes) -> bool:
    """No checksum is kept: only what goes up counts."""
    if IN_GO.search(after.decode("utf-8", "replace")):
        return before == after
    parts = [up_part(content.decode("utf-8", "replace"))[0].encode() for content in (before, after)]
    return same_sql(*parts)


def replay(unit: Unit, tree: Tree, pending: History) -> Sequence[Replayed]:
    """Only of files that mean to Postgres what they mean to goose."""
    table = quoted(unit.options.get("table", TABLE))
    texts = [(m, tree.text(m.path)) for m in pending if m.path.endswith(".sql")]
    return [_replayed(m, text, table) for m, text in texts if not _needs_goose(text)]


def _needs_goose(text: str) -> bool:
    """Variables, which goose fills in; a function that it cuts where a line of it ends in a semicolon."""
    if SUBSTITUTED.search(text):
        return True
    outside = BLOCK.sub("", up_part(text)[0])
    return any(END_OF_LINE.search(match["keep"]) for match in TOKEN.finditer(outside) if match["keep"])


def _replayed(migration: Migration, text: str, table: str) -> Replayed:
    sql, offset = up_part(text)
    return Replayed(
        migration.id, migration.path, sql, offset, transaction=not ALONE.search(text),
        setup=(
            f"CREATE TABLE IF NOT EXISTS {table} (id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,"
            " version_id bigint NOT NULL, is_applied boolean NOT NULL,"
            " tstamp timestamp NOT NULL DEFAULT now());"
            f" INSERT INTO {table} (version_id, is_applied)"
            f" SELECT 0, true WHERE NOT EXISTS (SELECT FROM {table})"
        ),
        record=f"INSERT INTO {table} (version_id, is_applied) VALUES ({migration.id}, true)",
    )  # fmt: skip


def written(unit: Unit, tree: Tree, migration: Migration) -> Written | None:
    if not migration.path.endswith(".sql"):
        return None
    text = tree.text(migration.path)
    sql, offset = up_part(text)
    return Written(migration.path, sql, offset, transaction=not ALONE.search(text))


def explain(output: str) -> DatabaseError | None:
    match = ERROR.search(output)
    return DatabaseError(match["sqlstate"], match["message"].rpartition("ERROR: ")[2]) if match else None


def bookkeeping(unit: Unit) -> Bookkeeping:
    """Row 0 is the table's own; older versions of goose wrote ``is_applied = false`` on the way down."""
    return Bookkeeping(
        unit.options.get("table", TABLE).rpartition(".")[2],
        "CASE WHEN is_applied AND version_id <> 0 THEN version_id::text END",
    )


SYSTEM = System(
    name="goose", detect=detect, history=history, apply=apply, at=at, default_dir=DEFAULT_DIR,
    bookkeeping=bookkeeping, down=down, same=same, number=id_as_number,
    downs=within(after(DOWN, noise=ANY), suffixes=(".sql",)), replay=replay, written=written, explain=explain,
)  # fmt: skip
