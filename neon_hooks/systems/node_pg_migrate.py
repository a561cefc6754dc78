"""node-pg-migrate: its command in a script, or its package and files that are written for it.

Facts: https://salsita.github.io/node-pg-migrate/cli; order and names are those of src/migration.ts, the
parts of an SQL file those of src/sqlMigration.ts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from neon_hooks.plan import Bookkeeping, Command, Migration, Replayed, Unit, Work, Written
from neon_hooks.systems.base import History, System
from neon_hooks.systems.jscode import SUFFIXES, same_js
from neon_hooks.systems.packagejson import Calls, calls, depends, dependents, option
from neon_hooks.systems.places import is_foreign, natural, own
from neon_hooks.systems.sqltext import same_sql
from neon_hooks.systems.waysback import after, function, within
from neon_hooks.tree import Tree, join, parent

TOOL = "node-pg-migrate"
FILE = re.compile(rf"\d[^/]*(?:{'|'.join(map(re.escape, (*SUFFIXES, '.sql')))})")
GLOB = re.compile(r"[*?{\[!(]")
PART = {
    word: re.compile(rf"^\s*--[\s-]*{word}\s+migration", re.IGNORECASE | re.MULTILINE)
    for word in ("up", "down")
}
# What is read of a call, by its spellings, and under which of them it is handed on.
VALUES = {
    "variable": ("-d", "--database-url-var"), "dir": ("-m", "--migrations-dir"),
    "table": ("-t", "--migrations-table"), "schema": ("-s", "--schema"),
    "migrations_schema": ("--migrations-schema",), "config": ("-f", "--config-file"),
    "config_value": ("--config-value",), "ignore": ("--ignore-pattern",), "tsconfig": ("--tsconfig",),
}  # fmt: skip
SWITCHES = (
    "--use-glob", "--no-check-order", "--create-schema", "--create-migrations-schema", "--decamelize",
    "--no-lock", "--no-single-transaction", "--tsx", "--ts-node", "--no-ts-node",
)  # fmt: skip


def detect(tree: Tree) -> Iterable[Unit]:
    named = [parent(path) for path in own(tree.named("package.json")) if TOOL in tree.text(path)]
    for root in sorted({*dependents(tree, TOOL), *named}):
        found = calls(tree, root, TOOL)
        if not found and not depends(tree, root, TOOL):
            continue
        unit = _unit(tree, root, "", f"{join(root, 'package.json')} names {TOOL}")
        if any(found or _is_its_own(tree, migration.path) for migration in history(unit, tree)):
            yield unit
            continue
        elsewhere = "" if found else _written_for_it(tree, root)
        if elsewhere:
            yield _unit(tree, root, elsewhere, f"migrations for {TOOL} in {elsewhere}/")


def _is_its_own(tree: Tree, path: str) -> bool:
    """Where no script says so: other tools have numbered files as well, but none that take a ``pgm``."""
    return path.endswith(".sql") or bool(re.search(r"\bpgm\b|\bMigrationBuilder\b", tree.text(path)))


def _written_for_it(tree: Tree, root: str) -> str:
    """Where a program that uses the package as a library has its migrations."""
    for path in tree.below(root):
        directory, _, name = path.rpartition("/")
        if not path.endswith(".sql") and "migrat" in directory and FILE.fullmatch(name):
            if not is_foreign(path) and _is_its_own(tree, path):
                return directory
    return ""


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    return _unit(tree, root, migrations_dir, "[[systems]] in the settings")


def _unit(tree: Tree, root: str, migrations_dir: str, evidence: str) -> Unit:
    found = calls(tree, root, TOOL)
    options = {key: value for key, flags in VALUES.items() if (value := option(found, *flags))}
    options = {**_configured(tree, root, options), **options}
    pattern = options.pop("dir", "migrations")
    directory = migrations_dir or join(root, _before_the_glob(pattern))
    options["pattern"] = pattern if not migrations_dir else join("", migrations_dir)[len(root) :].lstrip("/")
    options["switches"] = " ".join(_switches(found))
    return Unit("node-pg-migrate", root, directory, (evidence,), options)


def _before_the_glob(pattern: str) -> str:
    glob = GLOB.search(pattern)
    return pattern[: glob.start()].rpartition("/")[0] if glob else pattern


def _switches(found: Calls) -> list[str]:
    words = {word for call in found for word in call}
    return [switch for switch in SWITCHES if switch in words]


def _configured(tree: Tree, root: str, options: Mapping[str, str]) -> dict[str, str]:
    """What a JSON configuration says: that of ``-f``, else that of the package ``config``."""
    try:
        found = json.loads(tree.text(join(root, options.get("config") or "config/default.json")))
    except ValueError:
        return {}
    section = found.get(options.get("config_value", "db"), found if options.get("config") else {})
    said = section if isinstance(section, dict) else {}
    keys = ("dir", "table", "schema", "migrations_schema")
    names = {key: VALUES[key][-1].removeprefix("--") for key in keys}
    return {key: said[name] for key, name in names.items() if isinstance(said.get(name), str)}


def history(unit: Unit, tree: Tree) -> History:
    recursive = "**" in unit.options.get("pattern", "")
    paths = [
        path
        for path in tree.below(unit.migrations_dir)
        if (recursive or parent(path) == unit.migrations_dir)
        and FILE.fullmatch(path.rpartition("/")[2])
        and not path.endswith(".d.ts")
    ]
    ordered = sorted(paths, key=lambda path: _order(path.rpartition("/")[2]))
    return tuple(Migration(_id(path), path, tree.oids[path]) for path in ordered)


def _id(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def _order(name: str) -> tuple[float, tuple[tuple[int, int | str], ...]]:
    """By the number in front, where 17 digits are a date and others milliseconds or a count; then by name."""
    digits = re.match(r"\d+", name)
    number = float(digits[0]) if digits else 0.0
    if digits and len(digits[0]) == 17:
        try:
            moment = datetime.strptime(digits[0][:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            number = moment.timestamp() * 1000 + int(digits[0][14:])
        except ValueError:
            pass  # no date: the tool sorts it anywhere
    return number, natural(name)


def number(migration: Migration) -> str:
    """In milliseconds, whatever the name counts; with the name, as two of one moment are no mistake."""
    moment, _ = _order(migration.id)
    return f"{moment:.0f} {migration.id}"


def down_part(text: str) -> str:
    """A file of code without ``down`` is reversed by the tool itself."""
    return function(absent=True)(text) if IS_CODE(text) else after(PART["down"])(text)


def apply(unit: Unit, pushed: History) -> Command:
    options = unit.options
    handed_on = [
        word
        for key in ("table", "schema", "migrations_schema", "config", "config_value", "ignore", "tsconfig")
        if key in options
        for word in (VALUES[key][-1], options[key])
    ]
    variable = options.get("variable", "DATABASE_URL")
    return Command(
        (
            TOOL, "up", "--migrations-dir", options["pattern"], "--database-url-var", variable,
            *handed_on, *options.get("switches", "").split(),
        ),
        "node",
        environment={variable: "{url_with_password}"},
    )  # fmt: skip


def down(work: Work, tree: Tree) -> Command:
    up = apply(work.unit, work.pushed)
    return replace(up, argv=(TOOL, "down", str(len(work.pushed)), *up.argv[2:]))


def bookkeeping(unit: Unit) -> Bookkeeping:
    schema = unit.options.get("migrations_schema") or unit.options.get("schema")
    return Bookkeeping(unit.options.get("table", "pgmigrations"), "name", schema)


IS_CODE = re.compile(r"\b(?:exports|export|require|import)\b").search


def same(before: bytes, after: bytes) -> bool:
    is_code = any(IS_CODE(content.decode("utf-8", "replace")) for content in (before, after))
    return same_js(before, after) if is_code else same_sql(before, after)


def replay(unit: Unit, tree: Tree, pending: History) -> Sequence[Replayed]:
    """SQL files, each in a transaction of its own; the tool has one around all of them."""
    if unit.options.get("schema"):
        return ()  # it would also set the search path
    kept = bookkeeping(unit)
    table = f'"{kept.schema or "public"}"."{kept.table}"'
    setup = (
        f"CREATE TABLE IF NOT EXISTS {table}"
        " (id SERIAL PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)"
    )
    replayed = []
    for migration in pending:
        if migration.path.endswith(".sql"):
            sql, offset = _up(tree.text(migration.path))
            name = migration.id.replace("'", "''")
            record = f"INSERT INTO {table} (name, run_on) VALUES ('{name}', NOW())"
            replayed.append(
                Replayed(
                    migration.id, migration.path, sql, offset, transaction=True, setup=setup, record=record
                )
            )
    return replayed


def written(unit: Unit, tree: Tree, migration: Migration) -> Written | None:
    return Written(migration.path, *_up(tree.text(migration.path))) if migration.path.endswith(".sql") else None


def _up(text: str) -> tuple[str, int]:
    """The part of an SQL file that goes up, and how many lines stand above it."""
    up, down = (match.start() if (match := PART[word].search(text)) else -1 for word in ("up", "down"))
    if up < 0:
        return text, 0
    return text[up : down if down > up else len(text)], text.count("\n", 0, up)


SYSTEM = System(
    name="node-pg-migrate", detect=detect, history=history, apply=apply, at=at, bookkeeping=bookkeeping,
    down=down, same=same, number=number, downs=within(down_part), replay=replay, written=written,
)  # fmt: skip
