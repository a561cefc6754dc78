"""What a project's files say about its environment: .env files, and names that its configuration reads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

# Their values reach the tool, weaker first; the other .env* files only tell which names there are.
VALUES_FROM = (".flaskenv", ".env", ".env.local")
NAMES_FROM = re.compile(r"\.env(?:\.[\w.-]+)?|\.flaskenv|\w+\.env")
LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*
        (?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<bare>[^\n]*?))
        [ \t]*(?:(?<=[ \t"'])\#[^\n]*)?$""",
    re.MULTILINE | re.VERBOSE,
)
READS = re.compile(
    r"""(?:os\.environ(?:\.get|\.setdefault|\.pop)?|getenv|\bENV(?:\.fetch)?|process\.env|import\.meta\.env
        |\benv(?:\.\w+)?|\bconfig|\bgetEnv)
        \s*[\[(]\s*["'](?P<name>[A-Za-z_]\w*)["']
        (?:\s*,\s*(?:default\s*=\s*)?["'](?P<default>[^"'\n]*)["'])?
      |process\.env\.(?P<dotted>[A-Za-z_]\w*)
      |\$\{(?P<braced>[A-Z_][A-Z0-9_]*)(?::-?(?P<fallback>[^}\n]*))?\}""",
    re.VERBOSE,
)
CONFIGURATION = re.compile(
    r"""(?:.*settings.*|.*config.*|.*conf|.*database.*|.*datasource.*|data-source|db|schema|env|base
        |production|local|dev|alembic|knexfile|ormconfig|manage|app|core|main|__init__)
        \.(?:py|rb|js|cjs|mjs|ts|cts|mts|json|ya?ml|toml|ini|properties|prisma|exs|php)""",
    re.IGNORECASE | re.VERBOSE,
)
PRUNED = frozenset(
    "node_modules vendor .venv venv .git .tox dist build target __pycache__ site-packages".split()
)
MAX_FILES, MAX_BYTES, MAX_DEPTH = 400, 200_000, 5


def dotenv_values(directories: list[Path]) -> tuple[dict[str, str], dict[str, str]]:
    """(values, names): what .env files in ``directories`` (the weaker first) give and what they mention.

    Several places may hold one file: the checkout, and the work tree that it was made from.
    """
    values: dict[str, str] = {}
    names: dict[str, str] = {}
    for directory in directories:
        for file in sorted(_dotenv_files(directory), key=_rank):
            found = parse_dotenv(_text(file))
            names.update({name: value for name, value in found.items() if value or name not in names})
            if file.name in VALUES_FROM:
                values.update(found)
    return values, names


def parse_dotenv(text: str) -> dict[str, str]:
    """Names and values of one .env file; ``${OTHER}`` stays as it is written."""
    found: dict[str, str] = {}
    for match in LINE.finditer(text.replace("\r\n", "\n")):
        if match["double"] is not None:
            found[match["name"]] = match["double"].replace('\\"', '"').replace("\\n", "\n")
        elif match["single"] is not None:
            found[match["name"]] = match["single"]
        else:
            found[match["name"]] = match["bare"].strip()
    return found


def names_read(root: Path) -> Mapping[str, str]:
    """Names of environment variables that configuration files below ``root`` read, with their defaults."""
    found: dict[str, str] = {}
    for file in _configuration_files(root):
        for match in READS.finditer(_text(file)):
            name = match["name"] or match["dotted"] or match["braced"]
            default = match["default"] or match["fallback"] or ""
            if default or name not in found:
                found[name] = default
    return found


def _dotenv_files(directory: Path) -> list[Path]:
    try:
        return [
            entry for entry in directory.iterdir() if NAMES_FROM.fullmatch(entry.name) and entry.is_file()
        ]
    except OSError:
        return []


def _rank(file: Path) -> tuple[int, str]:
    return (VALUES_FROM.index(file.name) if file.name in VALUES_FROM else -1, file.name)


def _configuration_files(root: Path) -> Iterator[Path]:
    found = 0
    for directory, below, files in os.walk(root):
        depth = len(Path(directory).relative_to(root).parts)
        below[:] = sorted(name for name in below if name not in PRUNED) if depth < MAX_DEPTH else []
        for name in sorted(files):
            if CONFIGURATION.fullmatch(name):
                found += 1
                if found > MAX_FILES:
                    return
                yield Path(directory, name)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
