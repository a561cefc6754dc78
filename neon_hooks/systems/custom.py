"""A migration runner of the team's own, and commands of the team's own for the other systems.

Nothing is detected: the settings say how the runner is started, where its files are, and in which table
it remembers them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from neon_hooks.errors import UsageError
from neon_hooks.plan import Bookkeeping, Command, Migration, Unit
from neon_hooks.systems.base import History, System, as_psql_runs_it, plain_unit
from neon_hooks.systems.places import natural
from neon_hooks.systems.sql import CODE, is_migration
from neon_hooks.tree import Tree

# Who finds the first word of a command, where `family` does not say it. Everything else: native.
FAMILIES = {
    **dict.fromkeys(("python", "python3", "django-admin", "flask", "alembic", "yoyo"), "python"),
    **dict.fromkeys(("node", "npm", "pnpm", "yarn", "tsx", "ts-node"), "node"),
    **dict.fromkeys(("ruby", "rake", "rails", "bundle"), "ruby"),
    **dict.fromkeys(("mvn", "gradle", "java"), "jvm"),
}
DOWNLOADERS = ("npx", "pnpx", "bunx", "uvx")


def own_command(unit: Unit, key: str) -> Command:
    """What a key of ``[[systems]]`` says, such as ``command``. Raises UsageError for one that could download
    its program.
    """
    argv = tuple(shlex.split(unit.options[key]))
    if argv[0] in DOWNLOADERS:
        raise UsageError(
            f"[[systems]] {key}: {argv[0]} may download a program in the middle of a push",
            fix="name the program itself: it is looked up in the project's node_modules/.bin or environment",
        )
    variables = unit.options.get("url_variables", "").split()
    return Command(
        argv,
        unit.options.get("family") or FAMILIES.get(argv[0], "native"),
        environment={name: "{url_with_password}" for name in variables},
    )


def detect(tree: Tree) -> Iterable[Unit]:
    return ()


def history(unit: Unit, tree: Tree) -> History:
    """The files directly in the directory, in natural order. ``id_pattern`` finds the id in a name: its
    first group, or all that it matches; without it the id is the name. Files that it does not match are
    no migrations.
    """
    prefix = unit.migrations_dir + "/" if unit.migrations_dir else ""
    names = (path.removeprefix(prefix) for path in tree.below(unit.migrations_dir))
    found = ((name, _id(name, unit.options.get("id_pattern", ""))) for name in sorted(names, key=natural))
    return [Migration(id, prefix + name, tree.oids[prefix + name]) for name, id in found if id]


def _id(name: str, pattern: str) -> str:
    if "/" in name or name.startswith((".", "__")):
        return ""
    if not pattern:
        return name if is_migration(name) or name.endswith(CODE) else ""
    match = re.search(pattern, name)
    return (match[1] if match.re.groups else match[0]) or "" if match else ""


def apply(unit: Unit, pushed: History) -> Command:
    return own_command(unit, "command")


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(unit.options["table"], unit.options["id"], unit.options.get("schema") or None)


SYSTEM = System(
    name="custom",
    detect=detect,
    history=history,
    apply=apply,
    at=plain_unit("custom"),
    bookkeeping=bookkeeping,
    written=as_psql_runs_it,  # whether the runner opens a transaction is not known
)
