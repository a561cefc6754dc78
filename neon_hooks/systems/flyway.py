"""Flyway: on the command line, as a plugin of Maven or Gradle, in Spring Boot.

Facts: https://documentation.red-gate.com/fd (migrations, naming, the schema history table; flags beat the
environment, which beats files). Tried with 10.20: `-url` beats flyway.conf and any environment of
flyway.toml, `-Dflyway.url` the plugin's configuration, FLYWAY_PASSWORD the password in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from neon_hooks.errors import UsageError
from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Bookkeeping, Command, Migration, Proof, Refusal, Unit
from neon_hooks.systems import entities
from neon_hooks.systems.base import History, Ids, System, ids
from neon_hooks.systems.flyway_config import (
    CONVENTION, NOT_FLYWAYS, SOURCES, Place, place, places,
)  # fmt: skip
from neon_hooks.systems.flyway_replay import TABLE, VERSION, checksum, replay, written
from neon_hooks.systems.pgjdbc import database_error
from neon_hooks.systems.places import natural, relative
from neon_hooks.tree import Tree, join

VERSIONED = re.compile(r"V(?P<version>\d+(?:[._]\d+)*)(?:__(?P<description>.*))?\.(?:sql|java|kt|groovy)")
UNDO = re.compile(r"U(?P<version>\d+(?:[._]\d+)*)__.*\.sql")
REPEATABLE = re.compile(r"R__(?P<description>.*)\.(?:sql|java|kt|groovy)")
# Meant for Flyway, which passes over such names with a remark at most: V1_50_name.sql, v2__name.sql.
MISNAMED = re.compile(r"(?:V[\d_]|R_).*\.sql", re.IGNORECASE)
PERMISSIVE = ("validateOnMigrate", "ignoreMigrationPatterns", "outOfOrder")
BASELINE = "baseline "
# A repeatable migration is applied again when its checksum changes.
ROW = f"""case when not success or type in ('SCHEMA', 'DELETE') or type like 'UNDO%' then null
    when type = 'BASELINE' then '{BASELINE}' || version
    when version is null then 'R__' || replace(description, ' ', '_') || '#' || coalesce(checksum::text, '')
    else version end"""
# What Flyway says about a statement that Postgres refused; Maven puts "[ERROR] " before each line.
STATE = re.compile(r"^(?:\[ERROR\] )?SQL State\s*: (\w{5})", re.MULTILINE)
MESSAGE = re.compile(r"^(?:\[ERROR\] )?Message\s*: (?:ERROR: )?(.*)$", re.MULTILINE)


def detect(tree: Tree) -> Iterable[Unit]:
    return [_unit(each) for each in places(tree)]


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    found = next((each for each in places(tree) if migrations_dir in each.locations), None)
    return _unit(found or place(tree, root, [migrations_dir]))


def _unit(place: Place) -> Unit:
    settings = {f"flyway.{key}": value for key, value in place.settings.items()}
    return Unit(
        "flyway", place.root, place.locations[0], place.evidence,
        {
            "tool": place.tool,
            "locations": "\n".join(place.locations),
            "own_file": place.own_file,
            "stated": "true" if place.stated else "",
            **settings,
        },
    )  # fmt: skip


def history(unit: Unit, tree: Tree) -> History:
    """Versions by their numbers, then what is repeatable by its description, then what Flyway cannot see."""
    locations = unit.options.get("locations", unit.migrations_dir).split("\n")
    code = [join(unit.root, f"{source}/{CONVENTION}") for source in SOURCES]
    paths = dict.fromkeys(path for place in (*locations, *code) for path in tree.below(place))
    return sorted(filter(None, (_migration(tree, path) for path in paths)), key=_order)


def _migration(tree: Tree, path: str) -> Migration | None:
    name = path.rpartition("/")[2]
    if versioned := VERSIONED.fullmatch(name):
        return Migration(versioned["version"].replace("_", "."), path, tree.oids[path])
    if REPEATABLE.fullmatch(name):
        id = name.rpartition(".")[0]
        text = tree.content(path)
        # Placeholders are filled in before the checksum is taken: then any row of this name will do.
        row = f"{id}#{'' if b'${' in text or not name.endswith('.sql') else checksum(text)}"
        return Migration(id, path, tree.oids[path], row=row, repeatable=True)
    return Migration(name, path, tree.oids[path]) if MISNAMED.fullmatch(name) else None


def _order(migration: Migration) -> tuple[object, ...]:
    if is_misnamed(migration):
        return 2, natural(migration.id)
    return (1, migration.id) if migration.repeatable else (0, number(migration.id), migration.path)


def is_misnamed(migration: Migration) -> bool:
    return not migration.repeatable and not VERSION.fullmatch(migration.id)


def number(version: str) -> tuple[int, ...]:
    """1.10 comes after 1.9, and 1.0 is 1."""
    parts = [int(part) for part in version.split(".")]
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return tuple(parts)


def version(migration: Migration) -> str:
    """V1_1 and V1.01.0 are one version."""
    return ".".join(map(str, number(migration.id))) if VERSION.fullmatch(migration.id) else ""


def checksums(tree: Tree, migration: Migration) -> Iterable[str]:
    """Not where Flyway fills something in first, or reads another encoding than ours."""
    content = tree.content(migration.path)
    if is_misnamed(migration) or not migration.path.endswith(".sql") or b"${" in content or not _is_utf_8(content):
        return ()
    return (str(checksum(content)),)


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def downs(unit: Unit, tree: Tree, history: History) -> Mapping[str, str]:
    """Versions for which there is an undo migration, U1__name.sql."""
    locations = unit.options.get("locations", unit.migrations_dir).split("\n")
    found = [(UNDO.fullmatch(path.rpartition("/")[2]), path) for each in locations for path in tree.below(each)]
    undone = {number(match["version"].replace("_", ".")): path for match, path in found if match}
    versions = {m.id: number(m.id) for m in history if VERSION.fullmatch(m.id)}
    return {id: tree.text(undone[version]) for id, version in versions.items() if version in undone}


def apply(unit: Unit, pushed: History) -> Command:
    """The flags beat whatever the project's configuration says; the password goes by the environment.

    Raises UsageError where an address may hide in properties of the driver, and for migrations in Java
    that no build tool would compile.
    """
    _refuse(unit, pushed)
    tool = unit.options.get("tool", "flyway")
    environment = {
        "FLYWAY_URL": "{jdbc_url}", "FLYWAY_USER": "{user}", "FLYWAY_PASSWORD": "{password}",
    }  # fmt: skip
    properties = ("-Dflyway.url={jdbc_url}", "-Dflyway.user={user}")
    if tool == "mvn":
        return Command(("mvn", "-B", *_phase(unit, pushed), "flyway:migrate", *properties), "jvm",
                       environment=environment)  # fmt: skip
    if tool == "gradle":
        compiled = ("classes",) if _phase(unit, pushed) else ()
        argv = ("gradle", "--no-daemon", "--console=plain", *compiled, "flywayMigrate", *properties)
        return Command(argv, "jvm", environment=environment)
    argv = ("flyway", *_flags(unit), "-url={jdbc_url}", "-user={user}", "migrate")
    return Command(argv, "jvm", environment=environment)


def _refuse(unit: Unit, pushed: History) -> None:
    if any(key.startswith("flyway.jdbcProperties") for key in unit.options):
        raise UsageError(
            f"{unit.evidence[0]}: jdbcProperties may lead the driver to another database",
            fix="set them where Flyway is deployed, not in the project's files",
        )
    if unit.options.get("tool") == "flyway" and any(not m.path.endswith(".sql") for m in pushed):
        raise UsageError(
            f"{unit.migrations_dir}: a migration in Java needs a build tool that compiles it",
            fix="add flyway-maven-plugin, or Gradle's org.flywaydb.flyway, to the build",
        )


def _phase(unit: Unit, pushed: History) -> tuple[str, ...]:
    """What must be built first: the plugins read classes and resources from where the build puts them."""
    if any(not migration.path.endswith(".sql") for migration in pushed):
        return ("compile",)
    return ("process-resources",) if "classpath:" in unit.options.get("flyway.locations", "") else ()


def _flags(unit: Unit) -> Sequence[str]:
    """What the command line tool would not find by itself."""
    own_file = unit.options.get("own_file", "")
    if own_file:
        path = relative(own_file, unit.root)
        return (f"-configFiles={path}",) if "/" in path else ()
    locations = (
        relative(path, unit.root) for path in unit.options.get("locations", unit.migrations_dir).split("\n")
    )
    settings = {
        key.removeprefix("flyway."): value for key, value in unit.options.items() if key.startswith("flyway.")
    }
    return (
        "-locations=" + ",".join(f"filesystem:{path}" for path in locations),
        *(f"-{key}={value}" for key, value in settings.items() if key not in NOT_FLYWAYS),
    )


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(unit.options.get("flyway.table") or TABLE, ROW, checksum_sql="checksum::text")


def applied(rows: Ids, history: History) -> Ids:
    """What has a row, and what is not newer than a baseline."""
    floor = max((number(row.removeprefix(BASELINE)) for row in rows if row.startswith(BASELINE)), default=())
    numbers = {number(row) for row in rows if VERSION.fullmatch(row)}
    return frozenset(m.id for m in history if _is_applied(m, rows, numbers, floor))


def _is_applied(
    migration: Migration, rows: Ids, numbers: set[tuple[int, ...]], floor: tuple[int, ...]
) -> bool:
    if migration.repeatable:
        exact = not migration.row.endswith("#")
        return migration.row in rows if exact else any(row.startswith(migration.row) for row in rows)
    return not is_misnamed(migration) and (number(migration.id) in numbers or number(migration.id) <= floor)


def skipped(unit: Unit, rows: Ids, history: History, pushed: History) -> Ids:
    """Versions below one that is applied, where Flyway is told not to refuse them, nor to run them late."""
    said = {key: unit.options.get(f"flyway.{key}", "").lower() for key in PERMISSIVE}
    refuses = said["validateOnMigrate"] != "false" and "ignored" not in said["ignoreMigrationPatterns"]
    if refuses or said["outOfOrder"] == "true":
        return frozenset()
    done = applied(rows, history)
    versions = (row.removeprefix(BASELINE) for row in rows)
    newest = max((number(each) for each in versions if VERSION.fullmatch(each)), default=())
    late = (m.id for m in history if VERSION.fullmatch(m.id) and number(m.id) < newest)
    return frozenset(late) - done


def prove(before: Ids, after: Ids, history: History, pushed: History) -> Proof:
    visible = [migration for migration in history if not is_misnamed(migration)]
    return Proof(
        missing=ids(visible) - applied(after, history),
        unexpected=frozenset(row for row in unknown(after - before, history) if not row.startswith(BASELINE)),
        unseen=frozenset(migration.id for migration in pushed if is_misnamed(migration)),
    )


def unknown(rows: Ids, history: History) -> Ids:
    """Versions without a file. Of what is repeatable, earlier contents stay on record for ever."""
    known = {number(migration.id) for migration in history if VERSION.fullmatch(migration.id)}
    return frozenset(row for row in rows if VERSION.fullmatch(row) and number(row) not in known)


def explain(output: str) -> DatabaseError | None:
    state, message = STATE.search(output), MESSAGE.search(output)
    if not state or not message:
        return None
    return database_error(state[1], message[1], output, message.end())


SYSTEM = System(
    name="flyway",
    compare=entities.compare,
    detect=detect,
    history=history,
    apply=apply,
    at=at,
    default_dir="src/main/resources/db/migration",
    bookkeeping=bookkeeping,
    applied=applied,
    prove=prove,
    skipped=skipped,
    unknown=unknown,
    unseen=is_misnamed,
    explain=explain,
    replay=replay,
    written=written,
    number=version,
    checksums=checksums,
    downs=downs,
    refusals=lambda unit: (
        Refusal(
            unit.options.get("flyway.table") or TABLE,
            "case when not success then coalesce(version, description) end",
            "`flyway repair`",
        ),
    ),
)
