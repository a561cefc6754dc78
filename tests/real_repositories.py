"""Prints what `detect` finds in public repositories, beside what a table says that they have.

    python -m tests.real_repositories TABLE.tsv DIRECTORY

TABLE has the columns repo, commit, systems, migration_dirs; DIRECTORY holds their git directories as
OWNER+NAME/repo. Nothing of them is kept here.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from pathlib import Path

from neon_hooks import systems
from neon_hooks.objects import Objects
from neon_hooks.plan import Unit
from neon_hooks.registry import ENTRIES
from neon_hooks.settings import Settings
from neon_hooks.tree import Tree

SAME = {"rails": "activerecord", "mikro-orm": "mikroorm", "sea-orm": "seaorm", "hbm2ddl": "hibernate"}
NAMES = {entry.name for entry in ENTRIES} | {"schema"}


def tree_of(git_dir: Path, commit: str) -> tuple[Tree, Objects]:
    git = ("git", f"--git-dir={git_dir}", "-c", "safe.directory=*")
    known = subprocess.run((*git, "cat-file", "-e", f"{commit}^{{commit}}"), capture_output=True)
    listed = subprocess.run(
        (*git, "ls-tree", "-r", "-z", commit if not known.returncode else "HEAD"), capture_output=True, check=True
    ).stdout.decode("utf-8", "surrogateescape")
    oids = {}
    for entry in listed.split("\0"):
        meta, _, path = entry.partition("\t")
        if meta.startswith("100"):
            oids[path] = meta.split()[2]
    objects = Objects(
        lambda: subprocess.Popen(
            (*git, "cat-file", "--batch"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    )

    def read(path: str) -> bytes:
        found = objects.find(oids[path])  # a stored snapshot can lack a large blob
        return found.content if found else b""

    return Tree(oids, read), objects


def expected(words: str) -> set[str]:
    """The names in a cell such as ``drizzle;none-pg: knex (MySQL)``: what is not Postgres' is left out."""
    found = set()
    for part in words.split(";"):
        name = part.partition("(")[0].partition("-(")[0].strip().lower()
        if not part.startswith("none"):
            found |= {SAME.get(word, word) for word in name.replace("+", " ").split()}
    return found & (NAMES | set(SAME.values()))


def shown(units: list[Unit]) -> str:
    return "; ".join(f"{unit.system} {unit.migrations_dir or '.'}" for unit in units) or "nothing"


def main(table: Path, directory: Path) -> int:
    wrong = 0
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        places = [directory / row["repo"].replace("/", "+") / name for name in ("repo/.git", "repo")]
        git_dir = next((place for place in places if (place / "HEAD").exists()), None)
        if git_dir is None:
            print(f"  ?  {row['repo']}: not here")
            continue
        tree, objects = tree_of(git_dir, row["commit"])
        began = time.monotonic()
        units = systems.detect(tree, Settings())
        spent = time.monotonic() - began
        objects.close()
        is_right = {unit.system for unit in units} == expected(row["systems"])
        wrong += not is_right
        print(f"{' ok ' if is_right else 'LOOK'} {row['repo']} ({len(tree.oids)} files, {spent:.2f} s)")
        print(f"       said: {row['systems']}: {row['migration_dirs']}")
        print(f"       found: {shown(units)[:600]}")
    print(f"{wrong} to look at")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
