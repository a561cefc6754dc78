"""Supabase CLI: timestamped SQL files below supabase/migrations, wherever they were written.

Facts: https://supabase.com/docs/reference/cli/supabase-db-push, /docs/guides/deployment/database-migrations.
The CLI is a compiled program; the address it is given on its command line is the only one that it uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Bookkeeping, Command, Migration, Replayed, Unit
from neon_hooks.systems.base import History, System, id_as_number
from neon_hooks.systems.packagejson import versions
from neon_hooks.systems.places import own, up_from
from neon_hooks.systems.sqltext import same_sql
from neon_hooks.tree import Tree, join, parent

CONFIG = "supabase/config.toml"
FILE = re.compile(r"(\d+)_(.*)\.sql")
WITHOUT_TRANSACTION = re.compile(r"\bCONCURRENTLY\b|^\s*(?:VACUUM|REINDEX)\b", re.IGNORECASE | re.MULTILINE)
VERSION_4 = re.compile(r"\D*(?:[4-9]|\d\d+)\b")  # --db-url became --remote


def detect(tree: Tree) -> Iterable[Unit]:
    configs = [path for path in own(tree.named("config.toml")) if _is_config(path)]
    roots = [path.removesuffix(CONFIG).rstrip("/") for path in configs]
    units = [at(tree, root, join(root, "supabase/migrations")) for root in roots]
    return [unit for unit in units if history(unit, tree)]


def _is_config(path: str) -> bool:
    return path == CONFIG or path.endswith("/" + CONFIG)


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    # The CLI looks for supabase/ itself, so it is started in the directory that holds it.
    home = parent(parent(migrations_dir)) if migrations_dir.endswith("supabase/migrations") else root
    wanted = next((v["supabase"] for v in (versions(tree, d) for d in up_from(home)) if "supabase" in v), "")
    options = {"remote": "true"} if VERSION_4.match(wanted) else {}
    return Unit("supabase", home, migrations_dir, (join(home, CONFIG),), options)


def history(unit: Unit, tree: Tree) -> History:
    prefix = unit.migrations_dir + "/" if unit.migrations_dir else ""
    names = sorted(path.removeprefix(prefix) for path in tree.below(unit.migrations_dir))
    found = [(match, name) for name in names if (match := FILE.fullmatch(name)) and "/" not in name]
    return tuple(Migration(match[1], prefix + name, tree.oids[prefix + name]) for match, name in found)


def apply(unit: Unit, pushed: History) -> Command:
    target = ("--remote={url}",) if unit.options.get("remote") else ("--db-url", "{url}")
    environment = {"SUPABASE_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1"}
    return Command(("supabase", "db", "push", "--yes", *target), "native", environment=environment)


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping("schema_migrations", "version::text", schema="supabase_migrations")


ERROR = re.compile(
    r"^ERROR: (?P<message>.*) \(SQLSTATE (?P<sqlstate>\w{5})\)\n(?P<detail>(?:(?!At statement:).*\n)*?)"
    r"At statement:? ?(?P<context>.*(?:\n(?!Try rerunning).*)*)",
    re.MULTILINE,
)


def explain(output: str) -> DatabaseError | None:
    """``ERROR: message (SQLSTATE state)``, the detail if there is one, and the statement that failed."""
    match = ERROR.search(output)
    if not match:
        return None
    detail, context = match["detail"].strip(), match["context"].strip()
    return DatabaseError(match["sqlstate"], match["message"], detail, context=f"at statement {context}")


SETUP = """\
CREATE SCHEMA IF NOT EXISTS supabase_migrations;
CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations (
    version text NOT NULL PRIMARY KEY, statements text[], name text
)"""


def replay(unit: Unit, tree: Tree, pending: History) -> Sequence[Replayed]:
    """A file is one transaction, unless it holds what cannot be in one."""
    found = []
    for migration in pending:
        text = tree.text(migration.path)
        match = FILE.fullmatch(migration.path.rpartition("/")[2])
        values = (migration.id, match[2] if match else "")
        record = (
            "INSERT INTO supabase_migrations.schema_migrations (version, name, statements)"
            f" VALUES ({', '.join(map(_literal, values))}, ARRAY[{_literal(text)}])"
        )
        found.append(
            Replayed(
                migration.id, migration.path, text,
                transaction=not WITHOUT_TRANSACTION.search(text), setup=SETUP, record=record,
            )
        )  # fmt: skip
    return found


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


SYSTEM = System(
    name="supabase", detect=detect, history=history, apply=apply, at=at, default_dir="supabase/migrations",
    same=same_sql, bookkeeping=bookkeeping, number=id_as_number, explain=explain,
    replay=replay,
)  # fmt: skip
