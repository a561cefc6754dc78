"""yoyo-migrations: Python or SQL files, in the order of what they depend on.

Facts: https://ollycope.com/software/yoyo/latest/. Without the project's yoyo.ini, which names a database;
what else it says (the sources, the table) is handed over on the command line.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from neon_hooks.plan import Bookkeeping, Command, Migration, Refusal, Unit, Work, Written
from neon_hooks.systems.base import History, System, in_order
from neon_hooks.systems.places import by_directory, own, relative, up_from
from neon_hooks.systems.pycode import module_values, same_code, texts
from neon_hooks.systems.sql import is_not_postgres
from neon_hooks.systems.sqlfiles import project_root
from neon_hooks.systems.sqltext import same_sql
from neon_hooks.systems.waysback import calls
from neon_hooks.tree import Tree, join, parent

TABLE = "_yoyo_migration"
IN_PYTHON = re.compile(r"^\s*from\s+yoyo\s+import\b|^\s*import\s+yoyo\b", re.MULTILINE)
IN_SQL = re.compile(r"^--[ \t]*(?:depends|transactional)[ \t]*:", re.MULTILINE)
DEPENDS = re.compile(r"^--[ \t]*depends[ \t]*:(.*)$", re.MULTILINE)
ALONE = re.compile(r"^--[ \t]*transactional[ \t]*:[ \t]*false\b", re.MULTILINE | re.IGNORECASE)
OTHER_DATABASE = re.compile(r"^\s*(?:sqlite|mysql|oracle|odbc)", re.IGNORECASE)
ROLLBACKS = calls(frozenset({"step"}), "rollback")
STARTER = "neon_hooks_yoyo"
MANIFESTS = ("pyproject.toml", "requirements.txt", "Pipfile", "setup.cfg", "setup.py", "requirements.in")


def detect(tree: Tree) -> Iterable[Unit]:
    found: set[str] = set()
    for ini in own(tree.named("yoyo.ini")):
        settings = _read(tree.text(ini))
        if OTHER_DATABASE.match(settings.get("database", "")):
            continue
        for directory in _sources(parent(ini), settings):
            if directory not in found and _scripts(tree, directory):
                found.add(directory)
                yield _unit(tree, parent(ini), directory, f"{ini} has sources = {settings['sources']}")
    for directory, evidence in _by_content(tree):
        if directory not in found:
            found.add(directory)
            yield _unit(tree, project_root(tree, directory, "migrations"), directory, evidence)


def _by_content(tree: Tree) -> Iterator[tuple[str, str]]:
    """Directories in whose name "migrat" stands and whose first or last file says that it is yoyo's.

    Only where the project names yoyo at all: other tools have thousands of .py files in such places.
    """
    if not any("yoyo" in tree.text(path) for name in MANIFESTS for path in tree.named(name)):
        return
    for directory in (d for suffix in (".py", ".sql") for d in by_directory(tree, suffix, ("migrat",))):
        scripts = _scripts(tree, directory)
        marked = next((path for path in (*scripts[:1], *scripts[-1:]) if _is_yoyos(tree, path)), "")
        if marked and not is_not_postgres(tree, scripts):
            yield directory, f"{marked} is a migration of yoyo"


def _is_yoyos(tree: Tree, path: str) -> bool:
    mark = IN_PYTHON if path.endswith(".py") else IN_SQL
    return bool(mark.search(tree.text(path)))


def _read(text: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return {key: value or "" for key, value in parser["DEFAULT"].items()}


def _sources(root: str, settings: dict[str, str]) -> list[str]:
    words = settings.get("sources", "").replace("%(here)s", ".").split()
    return [join(root, word) for word in words if ":" not in word and "*" not in word]


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    return _unit(tree, root, migrations_dir, "[[systems]] in the settings")


def _unit(tree: Tree, root: str, migrations_dir: str, evidence: str) -> Unit:
    places = up_from(root)
    table = next(
        (t for place in places if (t := _read(tree.text(join(place, "yoyo.ini"))).get("migration_table"))), ""
    )
    return Unit("yoyo", root, migrations_dir, (evidence,), {"table": table or TABLE})


def _scripts(tree: Tree, directory: str) -> list[str]:
    """What yoyo takes for a migration: not what it runs on the way back or after each run."""
    names = (path for path in tree.below(directory) if parent(path) == directory)
    return [
        path
        for path in names
        if path.endswith((".py", ".sql"))
        and not path.endswith(".rollback.sql")
        and not path.rpartition("/")[2].startswith(("post-apply", "_", "."))
    ]


def history(unit: Unit, tree: Tree) -> History:
    return in_order(_migration(tree, path) for path in _scripts(tree, unit.migrations_dir))


def _migration(tree: Tree, path: str) -> Migration:
    id = path.rpartition("/")[2].rpartition(".")[0]
    if path.endswith(".py"):
        depends = texts(module_values(tree.content(path), frozenset({"__depends__"})).get("__depends__"))
    else:
        depends = tuple(" ".join(DEPENDS.findall(tree.text(path))).split())
    return Migration(id, path, tree.oids[path], tuple(sorted(depends)))


def same(before: bytes, after: bytes) -> bool:
    """Of a file's content yoyo keeps nothing."""
    python = IN_PYTHON.search(after.decode("utf-8", "replace"))
    return same_code(before, after) if python else same_sql(before, after)


def written(unit: Unit, tree: Tree, migration: Migration) -> Written | None:
    if not migration.path.endswith(".sql"):
        return None
    text = tree.text(migration.path)
    return Written(migration.path, text, transaction=not ALONE.search(text))


def number(migration: Migration) -> str:
    """By name, unless it says what it comes after."""
    return "" if migration.parents else migration.id


def downs(unit: Unit, tree: Tree, history: History) -> Mapping[str, str]:
    """A file ``x.rollback.sql`` beside ``x.sql``; in Python, a second statement of any step."""
    found = ((m.id, _way_back(tree, m.path)) for m in history)
    return {id: text for id, text in found if text.strip()}


def _way_back(tree: Tree, path: str) -> str:
    if path.endswith(".sql"):
        return tree.text(path.removesuffix(".sql") + ".rollback.sql")
    text = tree.text(path)
    steps = ROLLBACKS(text)
    return text if not steps or any(steps) else ""


def apply(unit: Unit, pushed: History) -> Command:
    return Command(
        (
            *("python", "-m", STARTER, "apply", "--batch", "--no-config-file", "--migration-table"),
            *(unit.options.get("table", TABLE), relative(unit.migrations_dir, unit.root)),
        ),
        "python",
        module="yoyo",
        environment={"NEON_HOOKS_YOYO_URL": "{url}"},
        files={f"{STARTER}.py": START},
    )


def down(work: Work, tree: Tree) -> Command:
    """Back to the first that is pushed, and that one, too."""
    up = apply(work.unit, work.pushed)
    words = ["rollback" if word == "apply" else word for word in up.argv[:-1]]
    return replace(up, argv=(*words, "--revision", work.pushed[0].id, up.argv[-1]))


# The driver is in yoyo's URL, and its default, psycopg2, is not what everybody has installed.
START = '''\
"""Starts yoyo with the driver that is there. The password is in PGPASSWORD."""

import os
import sys
from importlib.util import find_spec
from urllib.parse import urlsplit

from yoyo.scripts.main import main

url = urlsplit(os.environ["NEON_HOOKS_YOYO_URL"])
scheme = "postgresql" if find_spec("psycopg2") else "postgresql+psycopg"
sys.exit(main([*sys.argv[1:], "--database", url._replace(scheme=scheme).geturl()]))
'''


SYSTEM = System(
    name="yoyo", detect=detect, history=history, apply=apply, at=at,
    bookkeeping=lambda unit: Bookkeeping(unit.options.get("table", TABLE), "migration_id"), same=same,
    written=written,
    down=down, number=number, downs=downs,
    refusals=lambda unit: (
        Refusal("yoyo_lock", "'process ' || pid", "`yoyo break-lock`", is_lock=True, release="delete from {table}"),
    ),
)  # fmt: skip
