"""Active Record: Rails, and Ruby programs that use its migrations without Rails.

Facts: https://guides.rubyonrails.org/active_record_migrations.html, /configuring.html (database.yml),
/active_record_multiple_databases.html (migrations_paths, one task per database).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from neon_hooks.plan import Bookkeeping, Command, Comparison, Migration, Unit, Work
from neon_hooks.systems import activerecord_schema
from neon_hooks.systems.base import History, System, id_as_number
from neon_hooks.systems.places import is_foreign
from neon_hooks.systems.waysback import ruby, within
from neon_hooks.systems.yamltext import document
from neon_hooks.tree import Tree, join

# What Active Record itself takes for a migration (MigrationFilenameRegexp), in any directory below.
FILE = re.compile(r"(\d+)_[_a-z0-9]*\.?[_a-z0-9]*\.rb")
CONFIGURATIONS = ("config/database.yml", "db/config.yml", "config/database.yaml")
OTHERS = frozenset({"mysql2", "mysql", "trilogy", "sqlite3", "sqlserver", "oracle_enhanced"})
ENVIRONMENTS = ("development", "production", "default_env")
SCHEMA_TABLE = re.compile(r"""schema_migrations_table_name\s*=\s*["'](\w+)["']""")
TABLE_PREFIX = re.compile(r"""table_name_prefix\s*=\s*["'](\w+)["']""")
Section = Mapping[str, Any]
NO_DUMP = "neon_hooks_no_dump.rb"
WITHOUT_DUMP = """\
module NeonHooksNoDump
  def execute(*)
    super unless name.match?(/\\Adb:_dump(?::|\\z)/)
  end
end
Rake::Task.prepend(NeonHooksNoDump)
"""


def detect(tree: Tree) -> Iterable[Unit]:
    """Every application: a program with config/application.rb, or a Rakefile beside a database.yml."""
    for path in tree.named("application.rb"):
        if path.endswith("config/application.rb") and not is_foreign(path):
            yield from _units(tree, path.removesuffix("config/application.rb").rstrip("/"), path)
    for path in tree.named("Rakefile"):
        root = path.removesuffix("Rakefile").rstrip("/")
        if (
            not is_foreign(path)
            and join(root, "config/application.rb") not in tree
            and _configuration(tree, root)
        ):
            yield from _units(tree, root, path)


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    for unit in _units(tree, root, join(root, "config/application.rb")):
        if unit.migrations_dir == migrations_dir:
            return unit
    return Unit("activerecord", root, migrations_dir, ("[[systems]] in the settings",), _tables(tree, root))


def _units(tree: Tree, root: str, evidence: str) -> Iterable[Unit]:
    environment, databases = _databases(tree, root)
    if _is_not_postgres(tree, root, databases):
        return
    paths = {name: _paths(section) for name, section in databases.items()} or {"": ("db/migrate",)}
    for name, directories in paths.items():
        places = [place for place in (join(root, each) for each in directories) if _files(tree, place)]
        if places:
            yield Unit(
                "activerecord", root, places[0],
                (evidence, f"{places[0]}/ has {len(_files(tree, places[0]))} migrations"),
                {
                    "environment": environment,
                    "name": name if len(databases) > 1 else "",
                    # Active Record takes its adapter from the URL.
                    "scheme": "postgis" if databases.get(name, {}).get("adapter") == "postgis" else "",
                    "directories": "\n".join(places),
                    **_tables(tree, root),
                },
            )  # fmt: skip


def _configuration(tree: Tree, root: str) -> str:
    return next((path for path in (join(root, each) for each in CONFIGURATIONS) if path in tree), "")


def _databases(tree: Tree, root: str) -> tuple[str, Mapping[str, Section]]:
    """(environment, name -> section): the databases that one environment of database.yml describes.

    Replicas, and sections that say ``database_tasks: false``, are migrated by nobody.
    """
    found = document(tree.text(_configuration(tree, root)))
    for environment in ENVIRONMENTS:
        section = found.get(environment)
        if isinstance(section, dict) and section:
            inner = {key: value for key, value in section.items() if isinstance(value, dict)}
            named = inner if len(inner) == len(section) else {"primary": section}
            return environment, {name: each for name, each in named.items() if _is_migrated(each)}
    return "development", {}


def _is_migrated(section: Section) -> bool:
    return section.get("replica") != "true" and section.get("database_tasks") != "false"


def _paths(section: Section) -> tuple[str, ...]:
    found = section.get("migrations_paths") or "db/migrate"
    return tuple(map(str, found)) if isinstance(found, list) else (str(found),)


def _is_not_postgres(tree: Tree, root: str, databases: Mapping[str, Section]) -> bool:
    adapters = {str(section.get("adapter", "")) for section in databases.values()} - {""}
    if adapters:
        return adapters <= OTHERS
    gems = tree.text(join(root, "Gemfile"))
    return bool(gems) and not re.search(r"""gem\s*\(?\s*["'](?:pg|activerecord-postgis-adapter)["']""", gems)


def _tables(tree: Tree, root: str) -> Mapping[str, str]:
    text = "".join(
        tree.text(join(root, name))
        for name in ("config/application.rb", "config/environment.rb", "config/initializers/active_record.rb")
    )
    table, prefix = SCHEMA_TABLE.search(text), TABLE_PREFIX.search(text)
    return {"table": (prefix[1] if prefix else "") + (table[1] if table else "schema_migrations")}


def _files(tree: Tree, directory: str) -> Sequence[str]:
    return [path for path in tree.below(directory) if FILE.fullmatch(path.rpartition("/")[2])]


def history(unit: Unit, tree: Tree) -> History:
    directories = unit.options.get("directories", unit.migrations_dir).split("\n")
    found = [(_version(path), path) for each in directories for path in _files(tree, each)]
    return tuple(Migration(str(number), path, tree.oids[path]) for number, path in sorted(found))


def _version(path: str) -> int:
    match = FILE.fullmatch(path.rpartition("/")[2])
    assert match, "only paths that _files returned"
    return int(match[1])


def apply(unit: Unit, pushed: History) -> Command:
    """The task of one database, which is all there is in most projects.

    Rails writes the schema down after a migration: db/schema.rb is the user's (SCHEMA names another file), and for
    db/structure.sql a pg_dump of the server's version would have to be there, so that step is left out.
    """
    name = unit.options.get("name", "")
    return Command(
        ("rake", f"db:migrate:{name}" if name else "db:migrate"),
        "ruby",
        environment={
            "RAILS_ENV": unit.options.get("environment", "development"),
            "RACK_ENV": unit.options.get("environment", "development"),
            "SCHEMA": "{files}/schema.rb",
            "RAKEOPT": "-r {files}/" + NO_DUMP,
            "DATABASE_URL": "{url_with_password}",
            **({f"{name.upper()}_DATABASE_URL": "{url_with_password}"} if name else {}),
            "DISABLE_SPRING": "1",
            "DISABLE_DATABASE_ENVIRONMENT_CHECK": "1",
            "SKIP_TEST_DATABASE": "true",
        },
        files={NO_DUMP: WITHOUT_DUMP},
        url_schemes=(unit.options.get("scheme") or "postgresql",),
    )


def down(work: Work, tree: Tree) -> Command:
    name = work.unit.options.get("name", "")
    task = f"db:rollback:{name}" if name else "db:rollback"
    return replace(apply(work.unit, work.pushed), argv=("rake", task, f"STEP={len(work.pushed)}"))


def compare(unit: Unit, tree: Tree) -> Comparison | None:
    return activerecord_schema.compare(unit, tree, apply(unit, ()))


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(unit.options.get("table", "schema_migrations"), "version::text")


def same_ruby(before: bytes, after: bytes) -> bool:
    """Active Record keeps no checksum: comments on lines of their own, and blank lines, change nothing."""
    return before == after or _code(before) == _code(after)


def _code(text: bytes) -> list[bytes]:
    if b"<<" in text:  # a heredoc: a line that looks like a comment can be part of it
        return text.splitlines()
    lines = (line.rstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.lstrip().startswith(b"#")]


SYSTEM = System(
    name="activerecord",
    detect=detect,
    history=history,
    apply=apply,
    down=down,
    at=at,
    default_dir="db/migrate",
    bookkeeping=bookkeeping,
    same=same_ruby,
    number=id_as_number,
    downs=within(ruby),
    compare=compare,
)
