"""The migration systems by name, one line each, and what a changed file must look like to concern one.

Pure and light: a push that concerns no system ends after a look at this table, and the systems' own
modules (neon_hooks/systems/<name>.py, with a SYSTEM each) are never loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from neon_hooks.changes import Changes, is_zero


@dataclass(frozen=True)
class Entry:
    """``suffixes`` are those of files that can be migrations; one of ``marks`` must then be in the text.

    Without marks any such file counts. Both only narrow: what passes is looked at by the system itself.
    """

    name: str
    suffixes: tuple[str, ...]
    marks: tuple[bytes, ...] = ()

    @property
    def module(self) -> str:
        return f"neon_hooks.systems.{self.name.replace('-', '_')}"


@dataclass(frozen=True)
class Models:
    """Files that say what a system's schema should be: how their names end, and the marks in their texts.

    ``below``: the name must end so, or lie in a directory of this name.
    """

    suffixes: tuple[str, ...]
    marks: tuple[bytes, ...] = ()
    below: str = ""

    def names(self, path: str) -> bool:
        if not path.endswith(self.suffixes):
            return False
        return not self.below or f"/{path}".endswith(f"/{self.below}.py") or f"/{self.below}/" in f"/{path}"

    def shows(self, text: bytes) -> bool:
        return not self.marks or any(mark in text for mark in self.marks)


SCRIPTS = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts")
UP = (b".up", b" up", b"\tup", b"\nup", b"{up", b",up")  # a function of this name, however it is exported
# Every .sql file counts, because of `sql`: the lines of other systems need not name it.
ENTRIES = (
    Entry("alembic", (".py",), (b"revision",)),
    Entry("django", (".py",), (b"Migration",)),
    Entry("prisma", ("migration.sql", "migration_lock.toml", ".prisma")),
    Entry("drizzle", (".sql", "_journal.json")),
    Entry("activerecord", (".rb",), (b"ActiveRecord::Migration",)),
    Entry("flyway", (".java", ".kt"), (b"JavaMigration",)),
    Entry("liquibase", (".xml", ".yaml", ".yml", ".json"), (b"databaseChangeLog",)),
    Entry("hibernate", (".java", ".kt"), (b"@Entity", b"@Embeddable", b"@MappedSuperclass")),
    Entry("knex", SCRIPTS, UP),
    Entry("typeorm", SCRIPTS, (b"MigrationInterface", b"queryRunner")),
    Entry("sequelize", SCRIPTS, UP),
    Entry("mikroorm", SCRIPTS, (b"Migration",)),
    Entry("kysely", SCRIPTS, UP),
    Entry("node-pg-migrate", SCRIPTS, (*UP, b"pgm")),
    Entry("goose", (".sql", ".go"), (b"goose",)),
    Entry("golang-migrate", (".up.sql",)),
    Entry("dbmate", (".sql",), (b"migrate:up",)),
    Entry("sqlx", (".sql",)),
    Entry("diesel", ("/up.sql",)),
    Entry("seaorm", (".rs",), (b"sea_orm_migration", b"Migrator")),
    Entry("atlas", (".sql", "atlas.sum")),
    Entry("sqitch", ("sqitch.plan", ".sql")),
    Entry("yoyo", (".py",), (b"yoyo",)),
    Entry("supabase", (".sql",)),
    Entry("ecto", (".exs",), (b"Migration",)),
    Entry("laravel", (".php",), (b"Migration",)),
    Entry("efcore", (".cs",), (b"Migration",)),
    Entry("schema", (".sql",)),
    Entry("sql", (".sql",)),
    Entry("custom", ()),  # only where the settings name a directory
)
ENTITIES = Models((".java", ".kt"), (b"@Entity", b"@Embeddable", b"@MappedSuperclass"))
# By system, for those that can compare their models with their migrations.
MODELS: Mapping[str, Models] = {
    "alembic": Models((".py",), (b"mapped_column(", b"Mapped[", b"Column(", b"Table(", b"declarative_base", b"table=True")),
    "django": Models((".py",), below="models"),
    "prisma": Models((".prisma",)),
    "drizzle": Models(SCRIPTS, (b"drizzle-orm/pg-core",)),
    "activerecord": Models(("schema.rb", "structure.sql")),
    **dict.fromkeys(("flyway", "liquibase"), ENTITIES),
    "diesel": Models(("schema.rs",), (b"table!",)),
    "typeorm": Models(SCRIPTS, (b"@Entity(", b"EntitySchema", b"@ViewEntity(")),
    "mikroorm": Models(SCRIPTS, (b"@Entity(", b"EntitySchema", b"@Embeddable(", b"defineEntity(")),
}


def may_be_migration(system: str, path: str, text: bytes) -> bool:
    """Whether a file in the migrations directory of ``system`` may be a migration. When in doubt: yes."""
    entry = next(entry for entry in ENTRIES if entry.name == system)
    return not entry.suffixes or (path.endswith(entry.suffixes) and _shows(entry, text))


def concerns_any(
    changes: Changes, read: Callable[[str], bytes], directories: Iterable[str] = (), *, models: bool = False
) -> bool:
    """Whether a changed, added or deleted file may be a migration of any system. When in doubt: yes.

    ``read`` returns the contents of a blob by its id. In ``directories`` every file may be one. ``models``:
    files that say what the schema should be count as well.
    """
    named = tuple(f"{directory}/" if directory else "" for directory in directories)
    if any(file.path.startswith(named) for file in changes.files):
        return True
    for file in changes.files:
        entries = [entry for entry in ENTRIES if file.path.endswith(entry.suffixes)]
        described = [each for each in MODELS.values() if each.names(file.path)] if models else []
        if not entries and not described:
            continue
        texts = [read(oid) for oid in (file.new_oid, file.old_oid) if not is_zero(oid)]
        if any(_shows(entry, text) for entry in entries for text in texts):
            return True
        if any(each.shows(text) for each in described for text in texts):
            return True
    return False


def _shows(entry: Entry, text: bytes) -> bool:
    return not entry.marks or any(mark in text for mark in entry.marks)
