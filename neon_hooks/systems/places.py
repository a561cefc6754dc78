"""Which paths of a repository are its own, and small questions about them. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from neon_hooks.tree import Tree, join, parent

# Copies of other people's code, output of builds, what only tests use, examples: no production has those.
FOREIGN = frozenset(
    "node_modules bower_components vendor third_party .venv venv site-packages .tox .nox __pycache__"
    " dist build target test tests t spec e2e __tests__ integration-tests integration_tests"
    " fixtures __fixtures__ testdata test-data example examples samples".split()
)


def is_foreign(path: str) -> bool:
    """Whether ``path`` lies in a vendored copy, a build directory, a fixture or an example."""
    return not FOREIGN.isdisjoint(path.split("/")[:-1])


def own(paths: list[str]) -> list[str]:
    return [path for path in paths if not is_foreign(path)]


def by_directory(tree: Tree, suffix: str, words: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Files that end in ``suffix``, by directory, where one of ``words`` is in the path of the directory.

    One pass over all names: a tree has a hundred thousand of them, and this must stay in milliseconds.
    """
    found: dict[str, list[str]] = defaultdict(list)
    any_word = re.compile("|".join(map(re.escape, words))).search
    for path in tree.paths:
        if path.endswith(suffix) and any_word(path):
            directory, _, _ = path.rpartition("/")
            if any_word(directory) and not is_foreign(path):
                found[directory].append(path)
    return found


def up_from(directory: str) -> list[str]:
    """``directory`` and everything above it, up to the repository's top ("")."""
    found = [directory]
    while directory:
        directory = parent(directory)
        found.append(directory)
    return found


def first_file(tree: Tree, directories: list[str], name: str) -> str:
    """The first ``directory/name`` that exists, "" when none does."""
    return next((path for path in (join(d, name) for d in directories) if path in tree), "")


def relative(path: str, directory: str) -> str:
    """``path`` as seen from ``directory``; both are relative to the repository's top."""
    here, there = directory.split("/") if directory else [], path.split("/") if path else []
    common = 0
    while common < min(len(here), len(there)) and here[common] == there[common]:
        common += 1
    return "/".join([".."] * (len(here) - common) + there[common:]) or "."


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key in which ``10_b.sql`` comes after ``9_a.sql``."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in parts)
