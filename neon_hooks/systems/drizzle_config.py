"""Where a Drizzle project says that it is: drizzle.config.*, or a journal alone. Pure.

The configuration is a program; only what stands there literally is believed
(https://orm.drizzle.team/docs/drizzle-config-file).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from neon_hooks.systems.places import is_foreign, own, up_from
from neon_hooks.tree import Tree, join, parent

JOURNAL = "meta/_journal.json"
CONFIG = re.compile(r"drizzle[\w.-]*config[\w.-]*\.(?:json|[cm]?[jt]s)")
COMMENT = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
VALUE = r"""["']?\b{}\b["']?\s*:\s*["'`]([^"'`$\n]*)["'`]"""
MIGRATIONS = re.compile(r"""\bmigrations\b["']?\s*:\s*\{([^{}]*)\}""")
POSTGRES = ("postgresql", "postgres", "pg")


@dataclass(frozen=True)
class Location:
    """``root`` is where drizzle-kit is started, ``out`` where the migrations lie; all from the top.

    ``json`` is the text of a configuration that is JSON, ``table`` and ``schema`` the bookkeeping's.
    """

    root: str
    out: str
    evidence: str
    config: str = ""
    json: str = ""
    table: str = ""
    schema: str = ""


def locations(tree: Tree) -> list[Location]:
    """Every place with migrations, each once, those with a configuration first."""
    found: dict[str, Location] = {}
    for place in (*_from_configs(tree), *_from_journals(tree)):
        found.setdefault(place.out, place)
    return list(found.values())


def _from_configs(tree: Tree) -> Iterator[Location]:
    names = [path for path in tree.paths if "drizzle" in path and CONFIG.fullmatch(path.rpartition("/")[2])]
    for path in sorted(own(names), key=lambda path: (len(path), path)):  # drizzle.config.ts before -prod
        text = COMMENT.sub(lambda match: match[1] or "", tree.text(path))
        place = _with_migrations(tree, path, _value(text, "out") or "drizzle")
        if not place or not _is_for_postgres(tree, text, place[1]):
            continue
        inner = MIGRATIONS.search(text)
        yield Location(
            root=place[0],
            out=place[1],
            evidence=path,
            config=path,
            json=_object(text) if path.endswith(".json") else "",
            table=_value(inner[1], "table") if inner else "",
            schema=_value(inner[1], "schema") if inner else "",
        )


def _with_migrations(tree: Tree, config: str, out: str) -> tuple[str, str] | None:
    """(root, directory): ``out`` is relative to where drizzle-kit is started, which need not be here."""
    here = parent(config)
    roots = [here, *(place for place in up_from(here)[1:] if join(place, "package.json") in tree)]
    return next(((root, join(root, out)) for root in roots if _has_migrations(tree, join(root, out))), None)


def _has_migrations(tree: Tree, directory: str) -> bool:
    """A journal, or folders as 1.0 makes them; Prisma's, which look alike, lie beside its lock."""
    if join(directory, JOURNAL) in tree:
        return True
    is_prismas = join(directory, "migration_lock.toml") in tree
    return not is_prismas and bool(_inside(tree, directory, "migration.sql"))


def _inside(tree: Tree, directory: str, name: str) -> Sequence[str]:
    """``directory/*/name``."""
    below = tree.below(directory)
    return [path for path in below if path.endswith(f"/{name}") and parent(parent(path)) == directory]


def _is_for_postgres(tree: Tree, text: str, out: str) -> bool:
    said = _value(text, "dialect")
    return said in POSTGRES if said else _dialect_of_files(tree, out)


def _dialect_of_files(tree: Tree, out: str) -> bool:
    files = [join(out, JOURNAL)] if join(out, JOURNAL) in tree else _inside(tree, out, "snapshot.json")[-1:]
    return any(_value(tree.text(path), "dialect") in POSTGRES for path in files)


def _from_journals(tree: Tree) -> Iterator[Location]:
    """Without a configuration the migrations are run by the project's code; drizzle-kit does the same."""
    for path in tree.named("_journal.json"):
        out = path.removesuffix("/" + JOURNAL)
        if out == path or is_foreign(path) or not _dialect_of_files(tree, out):
            continue
        above = up_from(parent(out))
        root = next((place for place in above if join(place, "package.json") in tree), parent(out))
        yield Location(root, out, path)


def _value(text: str, key: str) -> str:
    match = re.search(VALUE.format(key), text)
    return match[1] if match else ""


def _object(text: str) -> str:
    """``text`` if it is a JSON object, "" otherwise."""
    try:
        return text if isinstance(json.loads(text), dict) else ""
    except ValueError:
        return ""
