"""Numbered SQL files that nobody's tool owns: run as they are, in the order of their numbers.

No bookkeeping exists, so only the pushed files are run. Directories that show the mark of a tool, or of
another database, are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from neon_hooks.plan import Migration, Script, Unit, Work
from neon_hooks.systems.base import History, System, as_psql_runs_it, plain_unit
from neon_hooks.systems.places import by_directory, first_file, natural, up_from
from neon_hooks.systems.sqltext import code, same_sql
from neon_hooks.tree import Tree, join, parent

NUMBERED = re.compile(r"\d+[^/]*\.sql", re.IGNORECASE)
DATED = re.compile(r"(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])(?!\d)")
# The directory is called so, or lies directly in one that is (migrations/postgres); sql/updates is another name.
PLACE = re.compile(
    r"(?:.*/)?(?:(?:[\w.-]*[_-])?(?:migrations?|migrate)(?:/[\w.-]+)?"
    r"|(?:sql|db|database|schema|postgres|postgresql)/(?:updates?|upgrades?))"
)
WORDS = ("migrat", "update", "upgrade")  # one of them is in each of those names
DOWN = re.compile(
    r".*[._-](?:down|rollback|undo|revert)\.sql|(?:down|rollback|revert)[._-].*\.sql|U\d.*\.sql",
    re.IGNORECASE,
)
UP = re.compile(r"(?:[._-]up)?\.sql$")
BACK = re.compile(r"[._-](?:down|rollback|undo|revert)\.sql$")

TOOL_MARKS = re.compile(
    r"--\s*\+(?:goose|migrate|micrate)\b|--\s*migrate:up|--\s*liquibase formatted|--> ?statement-breakpoint"
    r"|^--\s*(?:depends|transactional):|--\s*no-transaction|--\s*(?:up|down) migration|Deploy \S+ to pg",
    re.IGNORECASE | re.MULTILINE,
)
TOOL_FILES = ("migration_lock.toml", "meta/_journal.json", "atlas.sum", "snapshot.json", "embed.go")
TOOL_ROOTS = ("sqitch.plan", "yoyo.ini", "atlas.hcl", "dbconfig.yml", "supabase/config.toml", "flyway.toml")
# A manifest above the directory that names a tool which takes SQL files: the tool owns them.
TOOL_MANIFESTS = {
    "go.mod": r"golang-migrate|pressly/goose|rubenv/sql-migrate|jackc/tern|amacneil/dbmate",
    "Cargo.toml": r"\b(?:sqlx|diesel|refinery|sqlx-cli|sea-orm-migration)\b",
    "package.json": r'"(?:node-pg-migrate|dbmate|db-migrate|postgrator|umzug'
    r'|slonik-migrator|@slonik/migrator|drizzle-kit|prisma|supabase|graphile-migrate|ley|pg-migrate)"',
    "pyproject.toml": r"yoyo-migrations|dbmate|pogo-migrate",
    "requirements.txt": r"yoyo-migrations|dbmate|pogo-migrate",
    "pom.xml": r"flyway|liquibase",
    "build.gradle": r"flyway|liquibase",
    "build.gradle.kts": r"flyway|liquibase",
}
CODE = (".py", ".js", ".ts", ".mjs", ".cjs", ".go", ".rs", ".rb", ".php", ".exs", ".java", ".kt")

OTHER_DATABASES = frozenset(
    "mysql mariadb sqlite sqlite3 sqlcipher mssql sqlserver oracle clickhouse duckdb d1 cockroach cockroachdb"
    " cassandra firebird mongodb neo4j redshift rqlite snowflake spanner".split()
)
OTHER_DIALECTS = re.compile(
    r"\bAUTO_INCREMENT\b|\bAUTOINCREMENT\b|\bENGINE\s*=\s*\w+|`\w+`|\bIDENTITY\s*\(\s*\d+\s*,\s*\d+\s*\)"
    r"|^\s*PRAGMA\b|^\s*GO\s*$|\bVARCHAR2\b|\bNVARCHAR\b|\bDATETIME2\b|\bUNSIGNED\b|\bCHARSET\s*=",
    re.IGNORECASE | re.MULTILINE,
)
SAMPLES = 40  # files that are read per directory: marks stand in all of them


def is_migration(name: str) -> bool:
    return name.lower().endswith(".sql") and not DOWN.fullmatch(name)


def detect(tree: Tree) -> Iterable[Unit]:
    """Directories called "...migration..." with numbered files, no tool's and no other database's."""
    for directory, paths in by_directory(tree, ".sql", WORDS).items():
        numbered = [path for path in paths if NUMBERED.fullmatch(path.rpartition("/")[2])]
        if (
            not numbered
            or not PLACE.fullmatch(directory)
            or _belongs_to_a_tool(tree, directory, paths)
            or is_not_postgres(tree, paths)
        ):
            continue
        if any(is_migration(path.rpartition("/")[2]) for path in numbered):
            yield Unit(
                "sql",
                parent(directory),
                directory,
                (f"{directory}/ has {len(numbered)} numbered .sql files",),
            )


def _belongs_to_a_tool(tree: Tree, directory: str, paths: list[str]) -> bool:
    above = up_from(directory)
    if any(join(directory, name) in tree for name in TOOL_FILES):
        return True
    if any(first_file(tree, above, name) for name in ("migration_lock.toml", *TOOL_ROOTS)):
        return True
    if any(path.endswith(CODE) and parent(path) == directory for path in tree.below(directory)):
        return True
    for name, tools in TOOL_MANIFESTS.items():
        for place in above:
            if join(place, name) in tree and re.search(tools, tree.text(join(place, name))):
                return True
    return any(TOOL_MARKS.search(tree.text(path)) for path in _sample(paths))


def is_not_postgres(tree: Tree, paths: list[str]) -> bool:
    """Whether the directory's name, or the SQL in it, is another database's."""
    if OTHER_DATABASES & set(re.split(r"[/_.-]", parent(paths[0]).lower())):
        return True
    return any(OTHER_DIALECTS.search(_without_strings(tree.text(path))) for path in _sample(paths))


def _without_strings(text: str) -> str:
    # Line by line first: `code` joins lines, and GO or PRAGMA count only at the start of one.
    return "\n".join(re.sub(r"'(?:[^']|'')*'", "''", code(line)) for line in text.splitlines())


def _sample(paths: list[str]) -> list[str]:
    return paths if len(paths) <= SAMPLES else paths[: SAMPLES // 2] + paths[-SAMPLES // 2 :]


def history(unit: Unit, tree: Tree) -> History:
    prefix = unit.migrations_dir + "/" if unit.migrations_dir else ""
    names = [path.removeprefix(prefix) for path in tree.below(unit.migrations_dir)]
    ordered = sorted((name for name in names if "/" not in name and is_migration(name)), key=natural)
    return tuple(Migration(name, prefix + name, tree.oids[prefix + name]) for name in ordered)


def apply(unit: Unit, pushed: History) -> Script:
    return Script(
        tuple(migration.path for migration in pushed),
        single_transaction=unit.options.get("single_transaction") == "true",
    )


def number(migration: Migration) -> str:
    """ "12" of ``0012_add_index.sql``; "" of a date, of which there may be several files."""
    if DATED.match(migration.id):
        return ""
    found = re.match(r"\d+", migration.id)
    return str(int(found[0])) if found else ""


def downs(unit: Unit, tree: Tree, history: History) -> Mapping[str, str]:
    files = _down_files(unit, tree, history)
    return {id: text for id, path in files.items() if (text := tree.text(path)).strip()}


def _down_files(unit: Unit, tree: Tree, history: History) -> Mapping[str, str]:
    """Of migrations beside which one lies: ``002_x.down.sql`` or ``002_x_down.sql`` for ``002_x.sql``."""
    paths = ((path, path.rpartition("/")[2].lower()) for path in tree.below(unit.migrations_dir))
    ways_back = {BACK.sub("", name): path for path, name in paths if DOWN.fullmatch(name)}
    found = ((m.id, ways_back.get(UP.sub("", m.id.lower()), "")) for m in history)
    return {id: path for id, path in found if path}


def down(work: Work, tree: Tree) -> Script:
    """The down files, the last one first."""
    files = _down_files(work.unit, tree, work.pushed)
    return replace(apply(work.unit, ()), paths=tuple(files[m.id] for m in reversed(work.pushed)))


SYSTEM = System(
    name="sql", detect=detect, history=history, apply=apply, at=plain_unit("sql"), same=same_sql,
    # Nothing is recorded, so nothing can be missing; the trial proves each file by having run it.
    applied=lambda rows, history: frozenset(),
    unknown=lambda rows, history: frozenset(),
    number=number, down=down, downs=downs, written=as_psql_runs_it,
)  # fmt: skip
