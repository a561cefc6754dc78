"""Laravel: ``php artisan migrate``.

Facts: https://laravel.com/docs/migrations, /database (config/database.php). A variable of the process
beats .env, as Laravel loads that file immutably; a cached configuration beats both, so it is put aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from neon_hooks.errors import UsageError
from neon_hooks.plan import Bookkeeping, Command, Migration, Unit
from neon_hooks.systems.base import History, System, id_as_number
from neon_hooks.systems.places import is_foreign
from neon_hooks.systems.waysback import function, within
from neon_hooks.tree import Tree, join, parent

DIRECTORY = "database/migrations"
CONFIGURATION = "config/database.php"
DEFAULT = re.compile(r"""['"]default['"]\s*=>\s*(?:env\(\s*['"]DB_CONNECTION['"]\s*,\s*)?['"](\w+)['"]""")
EXAMPLE = re.compile(r"""^\s*DB_CONNECTION\s*=\s*["']?(\w+)""", re.MULTILINE)
POSTGRES = re.compile(r"""['"]pgsql['"]\s*=>\s*\[(.*?)\n\s{0,8}\],""", re.DOTALL)
ADDRESS = re.compile(r"""['"](host|port|database|username|password|url|read|write)['"]\s*=>\s*(?!env\()""")
TABLE = re.compile(r"""['"]migrations['"]\s*=>\s*(?:\[\s*['"]table['"]\s*=>\s*)?['"](\w+)['"]""")


def detect(tree: Tree) -> Iterable[Unit]:
    for path in tree.named("artisan"):
        root = parent(path)
        manifest = tree.text(join(root, "composer.json"))
        found = _migrations(tree, join(root, DIRECTORY))
        if not is_foreign(path) and '"laravel/framework"' in manifest and found and _is_postgres(tree, root):
            yield _unit(
                tree, root, join(root, DIRECTORY), (path, f"{DIRECTORY}/ has {len(found)} migrations")
            )


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    return _unit(tree, root, migrations_dir, ("[[systems]] in the settings",))


def _unit(tree: Tree, root: str, directory: str, evidence: tuple[str, ...]) -> Unit:
    text = tree.text(join(root, CONFIGURATION))
    block, table = POSTGRES.search(text), TABLE.search(text)
    literal = sorted(set(ADDRESS.findall(block[1]))) if block else []
    by_url = bool(
        block and re.search(r"""['"]url['"]\s*=>\s*env\(\s*['"](?:DB_URL|DATABASE_URL)['"]""", block[1])
    )
    return Unit(
        "laravel", root, directory, evidence,
        {"literal": "" if by_url and not {"read", "write"} & set(literal) else ", ".join(literal),
         "table": table[1] if table else "migrations"},
    )  # fmt: skip


def _is_postgres(tree: Tree, root: str) -> bool:
    """The example of .env says what the project is run with; else the default connection does."""
    example = EXAMPLE.search(tree.text(join(root, ".env.example")))
    default = DEFAULT.search(tree.text(join(root, CONFIGURATION)))
    return "pgsql" in {found[1] for found in (example, default) if found}


def _migrations(tree: Tree, directory: str) -> list[str]:
    """Files of the directory itself: Laravel does not look below it."""
    return [path for path in tree.below(directory) if path.endswith(".php") and parent(path) == directory]


def history(unit: Unit, tree: Tree) -> History:
    found = (
        (path.rpartition("/")[2].removesuffix(".php"), path)
        for path in _migrations(tree, unit.migrations_dir)
    )
    return tuple(Migration(id, path, tree.oids[path]) for id, path in sorted(found))


def apply(unit: Unit, pushed: History) -> Command:
    """Raises UsageError where config/database.php holds an address that no variable replaces."""
    literal = unit.options.get("literal", "")
    if literal:
        raise UsageError(
            f"{join(unit.root, CONFIGURATION)}: the connection pgsql has a fixed {literal}",
            fix="write 'url' => env('DB_URL') there",
        )
    return Command(
        ("php", "artisan", "migrate", "--force", "--no-interaction", "--database=pgsql"),
        "native",
        environment={
            "DB_CONNECTION": "pgsql", "DB_URL": "{url_with_password}", "DATABASE_URL": "{url_with_password}",
            "DB_HOST": "{host}", "DB_PORT": "{port}", "DB_DATABASE": "{database}",
            "DB_USERNAME": "{user}", "DB_PASSWORD": "{password}",
            "APP_CONFIG_CACHE": "{files}/config.php",
        },
    )  # fmt: skip


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(unit.options.get("table", "migrations"), "migration::text")


SYSTEM = System(
    name="laravel", detect=detect, history=history, apply=apply, at=at,
    default_dir=DIRECTORY, bookkeeping=bookkeeping, number=id_as_number,
    downs=within(function()),
)  # fmt: skip
