"""Numbered SQL files that a tool owns: where they lie, which are Postgres', what a tool is told. Pure.

A tool is known by what its files say, never by the name of a directory.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from neon_hooks.plan import Migration
from neon_hooks.systems.places import first_file, is_foreign, up_from
from neon_hooks.systems.sql import is_not_postgres
from neon_hooks.tree import Tree, join, parent

NUMBER = re.compile(r"\d+")
MANIFESTS = (
    "go.mod",
    "Cargo.toml",
    "package.json",
    "pyproject.toml",
    "requirements.txt",
    "mix.exs",
    "Gemfile",
)
# Text that a program fills in before a database sees it (https://pkg.go.dev/text/template#hdr-Actions).
TEMPLATE = re.compile(r"\{\{-?\s*(?:\.|(?:if|range|end|else|with|template|define|block)\b)")
# Files that say how a tool is started: flags and variables that change what it does.
RECIPES = (
    "Makefile", "makefile", "justfile", "Justfile", "Taskfile.yml", "Taskfile.yaml", "package.json",
    "Procfile", ".env", ".env.example", ".env.sample", ".envrc", "Dockerfile", "docker-compose.yml",
    "docker-compose.yaml", "compose.yml", "compose.yaml", "mise.toml",
)  # fmt: skip
# A driver in a manifest that names no driver of Postgres: the SQL is for that other database.
POSTGRES_DRIVERS = re.compile(r"pgx|lib/pq|go-pg|pgdriver|postgres", re.IGNORECASE)
OTHER_DRIVERS = re.compile(r"sqlite|mysql|mariadb|clickhouse|mssql|libsql|duckdb", re.IGNORECASE)
# Go's lib/pq does not start where it finds a variable of libpq's that it does not know, or an empty address.
UNKNOWN_TO_LIB_PQ = (
    "PGHOSTADDR", "PGSERVICEFILE", "PGCHANNELBINDING", "PGSSLNEGOTIATION", "PGREQUIREAUTH",
    "PGTARGETSESSIONATTRS",
)  # fmt: skip


def numbered(tree: Tree, suffixes: tuple[str, ...] = (".sql",)) -> Mapping[str, list[str]]:
    """Files that end in ``suffixes``, with a name that begins with a digit, by directory; in one pass."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in tree.paths:
        if path.endswith(suffixes):
            directory, _, name = path.rpartition("/")
            if name[0].isdigit() and not is_foreign(path):
                found[directory].append(path)
    return found


def marked(tree: Tree, mark: re.Pattern[str]) -> Iterator[tuple[str, list[str]]]:
    """Directories of numbered SQL files for Postgres in which every file that is looked at has ``mark``."""
    for directory, paths in numbered(tree).items():
        looked_at = {paths[0], paths[len(paths) // 2], paths[-1]}
        if all(mark.search(tree.text(path)) for path in looked_at) and for_postgres(tree, directory, paths):
            yield directory, paths


def for_postgres(tree: Tree, directory: str, paths: list[str]) -> bool:
    """Whether SQL files are Postgres', and ready to be run: no other dialect, no template of a program."""
    if is_not_postgres(tree, paths) or any(TEMPLATE.search(tree.text(path)) for path in paths[:3]):
        return False
    manifest = next((m for m in ("go.mod", "Cargo.toml") if first_file(tree, up_from(directory), m)), "")
    drivers = tree.text(first_file(tree, up_from(directory), manifest)) if manifest else ""
    return bool(POSTGRES_DRIVERS.search(drivers)) or not OTHER_DRIVERS.search(drivers)


def project_root(tree: Tree, directory: str, default_dir: str) -> str:
    """Where a tool is started: the closest directory with a manifest, else where its default leads here."""
    for place in up_from(parent(directory)):
        if any(join(place, name) in tree for name in MANIFESTS):
            return place
    if f"/{directory}".endswith(f"/{default_dir}"):
        return directory.removesuffix(default_dir).rstrip("/")
    return parent(directory)


def told(tree: Tree, root: str, *patterns: str) -> str:
    """The first group that one of ``patterns`` finds in the project's recipes; the inner file is stronger."""
    for place in up_from(root):
        for name in RECIPES:
            text = tree.text(join(place, name))
            match = next((m for p in patterns if text and (m := re.search(p, text))), None)
            if match:
                return match[1]
    return ""


def by_number(tree: Tree, paths: Iterable[str], number: re.Pattern[str] = NUMBER) -> tuple[Migration, ...]:
    """One migration for each path, in the order of the numbers that the names begin with.

    The id is the number without zeros before it, as a tool has it in a bigint column.
    """
    found = []
    for path in paths:
        match = number.match(path.rpartition("/")[2])
        if match:
            found.append((int(match[0]), path))
    return tuple(Migration(str(version), path, tree.oids[path]) for version, path in sorted(found))


def directly_in(tree: Tree, directory: str, suffix: str) -> list[str]:
    """Numbered files of one directory, not of those below it."""
    paths = (path for path in tree.below(directory) if parent(path) == directory and path.endswith(suffix))
    return [path for path in paths if path.rpartition("/")[2][0].isdigit()]


def quoted(table: str) -> str:
    """A table's name, schema and all, as it stands in SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in table.split("."))


def text_literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
