"""Prints what `detect` finds in public repositories, beside what a table says that they have.

    python -m tests.real_repositories TABLE.tsv DIRECTORY

TABLE has the columns repo, commit, systems, migration_dirs, evidence; DIRECTORY holds their git directories
as OWNER+NAME/repo. Each is looked at where the table says and at its newest commit; of those that the table
does not name it is printed what was found. Nothing of them is kept here.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

from neon_hooks import systems
from neon_hooks.objects import Objects
from neon_hooks.plan import Unit
from neon_hooks.registry import ENTRIES
from neon_hooks.settings import Settings
from neon_hooks.tree import Tree, inside

# The table's words for what has another name here.
SAME = {
    "rails": "activerecord", "mikro-orm": "mikroorm", "sea-orm": "seaorm", "hibernate-hbm2ddl": "hibernate",
    "prisma-db-push": "prisma", "sql-dir": "sql",
}  # fmt: skip
NAMES = {entry.name for entry in ENTRIES}
MIGRATED = {"flyway", "liquibase"}  # beside them Hibernate changes no schema
READ_OFF_THE_TREE = "fetched-tree"


class Snapshot:
    """A git directory that may be shallow, and lack large blobs."""

    def __init__(self, git_dir: Path) -> None:
        self._git = ("git", f"--git-dir={git_dir}", "-c", "safe.directory=*")

    def commits(self, stated: str) -> Iterator[str]:
        """The table's commit, where it is here, and the newest one."""
        known = stated and not self._run("cat-file", "-e", f"{stated}^{{commit}}").returncode
        newest = self._run("rev-parse", "HEAD").stdout.decode().strip()
        yield from dict.fromkeys([stated, newest] if known else [newest])

    def tree(self, commit: str) -> tuple[Tree, Objects]:
        listed = self._run("ls-tree", "-r", "-z", commit).stdout.decode("utf-8", "surrogateescape")
        oids = {}
        for entry in listed.split("\0"):
            meta, _, path = entry.partition("\t")
            if meta.startswith("100"):
                oids[path] = meta.split()[2]
        objects = Objects(
            lambda: subprocess.Popen(
                (*self._git, "cat-file", "--batch"),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip

        def read(path: str) -> bytes:
            found = objects.find(oids[path])
            return found.content if found else b""

        return Tree(oids, read), objects

    def _run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run((*self._git, *words), capture_output=True)


def expected(words: str) -> set[str]:
    """The names in a cell such as ``drizzle;none-pg: knex (MySQL)``: what is not Postgres' is left out."""
    found = set()
    for part in words.split(";"):
        name = part.partition("(")[0].strip().lower()
        if not part.startswith("none") and "generated at build" not in part:
            found |= {SAME.get(word, word) for word in name.replace("+", " ").split()}
    return (found - {"hibernate"} if found & MIGRATED else found) & NAMES


def directories(words: str) -> list[str]:
    """The paths in a cell such as ``a/*/migrations;db/migrations (db/old is a 2nd database)``."""
    return [part for each in words.split(";") if (part := re.sub(r"\(.*?\)", "", each).strip())]


def is_at(directory: str, unit: Unit) -> bool:
    """The same directory, or one around it: a tool's versions/ lie below its environment."""
    place = unit.migrations_dir
    return fnmatch(place, directory) or inside(directory, place) or inside(place, directory)


def verdict(row: Mapping[str, str], units: list[Unit]) -> str:
    """ok, or what to look at."""
    if row["systems"].startswith("many"):
        return "many"
    if {unit.system for unit in units} != expected(row["systems"]):
        return "SYSTEM"
    if row["evidence"] == READ_OFF_THE_TREE and units:
        wanted = directories(row["migration_dirs"])
        if not all(any(is_at(directory, unit) for directory in wanted) for unit in units):
            return "PLACE"
        if not all(any(is_at(directory, unit) for unit in units) for directory in wanted):
            return "MISSED"
    return "ok"


def shown(units: list[Unit]) -> str:
    places = [f"{unit.system} {unit.migrations_dir or '.'}" for unit in units]
    more = f" and {len(places) - 4} more" if len(places) > 4 else ""
    return "; ".join(places[:4]) + more or "nothing"


def snapshot_of(directory: Path, repo: str) -> Snapshot | None:
    places = [directory / repo.replace("/", "+") / name for name in ("repo/.git", "repo")]
    found = next((place for place in places if (place / "HEAD").exists()), None)
    return Snapshot(found) if found else None


def look(snapshot: Snapshot, row: Mapping[str, str]) -> int:
    """Print a repository's lines; how many of them ask for a look."""
    wrong = 0
    for commit in snapshot.commits(row.get("commit", "")):
        tree, objects = snapshot.tree(commit)
        began = time.monotonic()
        units = systems.detect(tree, Settings())
        spent = time.monotonic() - began
        objects.close()
        said = verdict(row, units) if "systems" in row else ""
        wrong += said not in ("ok", "many", "")
        print(f"{said:7} {row['repo']} {commit[:9]} ({len(tree.oids)} files, {spent:.2f} s): {shown(units)}")
        if said not in ("ok", ""):
            print(f"{'':7}     the table: {row['systems']}: {row['migration_dirs']}")
    return wrong


def main(table: Path, directory: Path) -> int:
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    named = {row["repo"] for row in rows}
    others = sorted(path.name.replace("+", "/", 1) for path in directory.iterdir() if "+" in path.name)
    wrong, missing = 0, []
    for row in [*rows, *({"repo": repo} for repo in others if repo not in named)]:
        snapshot = snapshot_of(directory, row["repo"])
        if snapshot:
            wrong += look(snapshot, row)
        else:
            missing.append(row["repo"])
    print(f"not here: {', '.join(missing)}")
    print(f"{wrong} to look at")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
