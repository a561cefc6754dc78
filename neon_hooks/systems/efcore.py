"""EF Core with Npgsql: ``dotnet ef database update``.

Facts: https://learn.microsoft.com/ef/core/cli/dotnet (--connection beats the context's own string),
https://www.npgsql.org/doc/connection-string-parameters.html (PGPASSWORD stands in for a missing password).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from neon_hooks.plan import Bookkeeping, Command, Migration, Unit
from neon_hooks.systems.base import History, System, id_as_number
from neon_hooks.systems.places import is_foreign, relative, up_from
from neon_hooks.systems.waysback import function, within
from neon_hooks.tree import Tree, parent

FILE = re.compile(r"(\d{14}_\w+)\.cs")
CONTEXT = re.compile(r"\[DbContext\(typeof\(([\w.]+)\)\)\]")
TABLE = re.compile(r"""MigrationsHistoryTable\(\s*"([^"]+)"(?:\s*,\s*"([^"]+)")?""")
# What Npgsql's own generator writes; annotations of other providers are in the model of whoever has several.
NPGSQL = re.compile(r"^using Npgsql\.|\bNpgsqlModelBuilderExtensions\.", re.MULTILINE)


def detect(tree: Tree) -> Iterable[Unit]:
    """Each model snapshot: one context, and the directory of its migrations."""
    for path in tree.paths:
        if path.endswith("ModelSnapshot.cs") and not is_foreign(path):
            text, project = tree.text(path), _project(tree, parent(path))
            if project and NPGSQL.search(text):
                context = CONTEXT.search(text)
                yield _unit(tree, project, parent(path), (path, project), context[1] if context else "")


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    for unit in detect(tree):
        if unit.migrations_dir == migrations_dir:
            return unit
    return _unit(tree, _project(tree, root), migrations_dir, ("[[systems]] in the settings",), "")


def _project(tree: Tree, directory: str) -> str:
    """The nearest project file, "" if there is none."""
    for place in up_from(directory):
        found = [path for path in tree.below(place) if parent(path) == place and path.endswith(".csproj")]
        if found:
            return found[0]
    return ""


def _unit(tree: Tree, project: str, directory: str, evidence: tuple[str, ...], context: str) -> Unit:
    root = parent(project)
    sources = (
        tree.text(path) for path in tree.below(root) if path.endswith(".cs") and "Migrations/" not in path
    )
    table = next((found for text in sources if (found := TABLE.search(text))), None)
    return Unit(
        "efcore", root, directory, evidence,
        {"project": project, "context": context, "table": table[1] if table else "",
         "schema": (table[2] or "") if table else ""},
    )  # fmt: skip


def history(unit: Unit, tree: Tree) -> History:
    names = ((path.rpartition("/")[2], path) for path in tree.below(unit.migrations_dir))
    found = sorted((match[1], path) for name, path in names if (match := FILE.fullmatch(name)))
    return tuple(Migration(id, path, tree.oids[path]) for id, path in found)


def apply(unit: Unit, pushed: History) -> Command:
    context = unit.options.get("context", "")
    project = unit.options.get("project", "")
    return Command(
        (
            *("dotnet", "ef", "database", "update"),
            *("--connection", "Host={host};Port={port};Database={database};Username={user}"),
            *(("--project", relative(project, unit.root)) if project else ()),
            *(("--context", context) if context else ()),
        ),
        "native",
        environment={"DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1"},
    )


def bookkeeping(unit: Unit) -> Bookkeeping:
    table = unit.options.get("table") or "__EFMigrationsHistory"
    return Bookkeeping(table, '"MigrationId"', unit.options.get("schema") or None)


SYSTEM = System(
    name="efcore", detect=detect, history=history, apply=apply, at=at,
    default_dir="Migrations", bookkeeping=bookkeeping, number=id_as_number,
    downs=within(function("Up", "Down")),
)  # fmt: skip
