"""Flyway's SQL files run without Flyway, so that Flyway itself accepts what was recorded.

Facts: the history table as Flyway 10 makes it; https://documentation.red-gate.com/fd (transactions per
file, placeholders, .conf files beside a script). Pure.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

from neon_hooks.plan import Migration, Replayed, Unit, Written
from neon_hooks.systems.base import History
from neon_hooks.systems.sqltext import code
from neon_hooks.tree import Tree, inside

TABLE = "flyway_schema_history"
VERSION = re.compile(r"\d+(?:\.\d+)*")
# Statements that Postgres refuses inside a transaction: Flyway runs a file with one of them without.
NO_TRANSACTION = re.compile(
    r"(?:^|;)\s*(?:(?:CREATE|DROP)\s+(?:DATABASE|TABLESPACE|SUBSCRIPTION)\b|ALTER\s+SYSTEM\b|VACUUM\b"
    r"|(?:CREATE|DROP)\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\b|REINDEX\b.*\b(?:SCHEMA|DATABASE|SYSTEM)\b"
    r"|DISCARD\s+ALL\b)",
    re.IGNORECASE,
)
# What changes where or how a file is run, and is Flyway's own affair.
DIFFERENT = (
    "flyway.schemas flyway.defaultSchema flyway.table flyway.baselineOnMigrate flyway.initSql flyway.callbacks"
    " flyway.resolvers flyway.encoding flyway.target flyway.cherryPick flyway.createSchemas flyway.group"
    " flyway.mixed flyway.outOfOrder flyway.sqlMigrationPrefix flyway.sqlMigrationSeparator"
).split()
# Flyway waits for ever for such a statement, as its own transaction holds a lock; unless this is "false".
LOCK = "flyway.postgresql.transactional.lock"
ALONE = re.compile(r"^\s*executeInTransaction\s*=\s*false\b", re.MULTILINE)  # in a file.sql.conf
CALLBACK = re.compile(r"(?:before|after|create)[A-Z]\w*?(?:__.*)?\.(?:sql|java)")
SETUP = f"""\
DO $neon_hooks$ BEGIN
IF to_regclass('{TABLE}') IS NULL THEN
  IF EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = current_schema()::regnamespace
             AND relkind IN ('r', 'p', 'v', 'm', 'S')) THEN
    RAISE EXCEPTION 'Found non-empty schema(s) but no schema history table'
      USING HINT = 'run `flyway baseline` on the main Neon database branch first';
  END IF;
  CREATE TABLE {TABLE} (
    installed_rank integer NOT NULL, version varchar(50), description varchar(200) NOT NULL,
    type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum integer,
    installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(),
    execution_time integer NOT NULL, success boolean NOT NULL,
    CONSTRAINT {TABLE}_pk PRIMARY KEY (installed_rank));
  CREATE INDEX {TABLE}_s_idx ON {TABLE} (success);
END IF;
IF EXISTS (SELECT FROM {TABLE} WHERE success AND version IS NOT NULL
           AND string_to_array(version, '.')::numeric[] > '{{first}}'::numeric[]) THEN
  RAISE EXCEPTION 'a newer version than {{version}} is applied already: Flyway refuses it'
    USING HINT = 'give the migration a higher version';
END IF;
END $neon_hooks$"""
RECORD = f"""\
INSERT INTO {TABLE} (installed_rank, version, description, type, script, checksum, installed_by,
    execution_time, success)
SELECT coalesce(max(installed_rank), 0) + 1, {{version}}, {{description}}, 'SQL', {{script}}, {{checksum}},
    current_user, 0, true FROM {TABLE}"""


def replay(unit: Unit, tree: Tree, pending: History) -> Sequence[Replayed]:
    """Nothing where Flyway would do more than run the files."""
    locations = unit.options.get("locations", unit.migrations_dir).split("\n")
    if any(unit.options.get(key) for key in DIFFERENT) or _has_callbacks(tree, locations):
        return ()
    setup = _setup(pending)
    found = []
    for migration in pending:
        text = tree.text(migration.path)
        if not migration.path.endswith(".sql") or "${" in text or f"{migration.path}.conf" in tree:
            return ()
        name = migration.path.rpartition("/")[2].removesuffix(".sql")
        if VERSION.fullmatch(migration.id) or migration.repeatable:
            record = RECORD.format(
                version="NULL" if migration.repeatable else _quoted(_version(name)),
                description=_quoted(name.partition("__")[2].replace("_", " ")),
                script=_quoted(_script(migration.path, locations)),
                checksum=checksum(tree.content(migration.path)),
            )
            alone = NO_TRANSACTION.search(code(text))
            if alone and unit.options.get(LOCK) != "false":
                return ()
            found.append(
                Replayed(
                    migration.id, migration.path, text, transaction=not alone, setup=setup, record=record
                )
            )
        else:  # Flyway passes over the file, and so do we
            found.append(Replayed(migration.id, migration.path, "", setup=setup))
    return found


def written(unit: Unit, tree: Tree, migration: Migration) -> Written | None:
    """Flyway reads a file to see whether it can be run inside a transaction."""
    if not migration.path.endswith(".sql"):
        return None
    text = tree.text(migration.path)
    alone = NO_TRANSACTION.search(code(text)) or ALONE.search(tree.text(f"{migration.path}.conf"))
    return Written(migration.path, text, transaction=not alone)


def checksum(content: bytes) -> int:
    """Flyway's: a signed CRC 32 of the lines without their ends, without a byte order mark."""
    text = content.decode("utf-8-sig", "replace")
    value = 0
    for line in re.split(r"\r\n|\r|\n", text):
        value = zlib.crc32(line.encode(), value)
    return value - (1 << 32) if value >= 1 << 31 else value


def _setup(pending: History) -> str:
    first = next((migration.id for migration in pending if VERSION.fullmatch(migration.id)), "")
    number = first.replace(".", ",") if first else "NaN"  # which is greater than every number
    return SETUP.format(first="{" + number + "}", version=first)


def _version(name: str) -> str:
    return name.partition("__")[0][1:].replace("_", ".")


def _script(path: str, locations: Sequence[str]) -> str:
    location = next((each for each in locations if inside(path, each)), "")
    return path.removeprefix(f"{location}/")


def _has_callbacks(tree: Tree, locations: Sequence[str]) -> bool:
    return any(CALLBACK.fullmatch(path.rpartition("/")[2]) for each in locations for path in tree.below(each))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
