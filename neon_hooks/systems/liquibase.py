"""Liquibase: its own command line, and Spring Boot's changelogs run by it.

Facts: https://docs.liquibase.com (defaults file, update, the DATABASECHANGELOG table). Only flags are sure
to win: versions before 4.2x ignore LIQUIBASE_COMMAND_URL, and the Maven plugin prefers what stands in the
pom to -Dliquibase.url. So a defaults file of our own takes the place of the project's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from neon_hooks.errors import UsageError
from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Bookkeeping, Command, Comparison, Migration, Proof, Refusal, Unit, Work, Written
from neon_hooks.systems import entities
from neon_hooks.systems.base import History, Ids, System, ids
from neon_hooks.systems.liquibase_changelog import FORMATTED, Changelog, ChangeSet, normal, sql_of
from neon_hooks.systems.liquibase_config import (
    MASTER, RESOURCES, is_of_another_database, places, search_path,
)  # fmt: skip
from neon_hooks.systems.pgjdbc import database_error
from neon_hooks.tree import Tree, join, parent

TABLE = "databasechangelog"
# Versions before 4 recorded "classpath:" as a part of the name.
ROW = "regexp_replace(filename, '^classpath:/*', '') || '::' || id || '::' || author"
# Of the project's defaults file, what says where to connect is ours to say; the rest is kept.
OURS = frozenset("url username password driver changelogfile defaultsfile".split())
DEFAULTS = "neon_hooks_liquibase.properties"
# Where the bookkeeping is kept: Liquibase's own schema, else that of the objects.
SCHEMAS = (
    "liquibase.liquibaseschemaname", "liquibase.liquibaseschema",
    "liquibase.defaultschemaname", "liquibase.defaultschema",
)  # fmt: skip
FAILED = re.compile(r"Migration failed for change ?set (?P<set>.*?):\n")
CHANGED = re.compile(r"^\s*(\S.*?::.+?::.+?) was: \S+ but is now: ", re.MULTILINE)
MESSAGE = re.compile(r"Reason: \S*Exception: (?:ERROR: )?(?P<message>[^\n\[]*)")


def detect(tree: Tree) -> Iterable[Unit]:
    """One unit for each changelog that something leads to."""
    found: dict[str, Unit] = {}
    for place in places(tree):
        for unit in _unit(tree, place.root, place.settings, place.evidence):
            found.setdefault(f"{unit.root}:{unit.options['changelog']}", unit)
    return found.values()


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    for unit in detect(tree):
        if unit.migrations_dir == migrations_dir:
            return unit
    found = next(
        (path for path in tree.below(migrations_dir) if MASTER.fullmatch(path.rpartition("/")[2])), ""
    )
    settings = {"changelogfile": found.removeprefix(f"{root}/") if root else found}
    for unit in _unit(tree, root, settings, "[[systems]] in the settings"):
        return unit
    raise UsageError(
        f"[[systems]]: there is no changelog in {migrations_dir!r}",
        fix="name the directory of the changelog that includes the others",
    )


def _unit(tree: Tree, root: str, settings: Mapping[str, str], evidence: str) -> Iterable[Unit]:
    name = settings.get("changelogfile", "")
    resources = [join(root, RESOURCES)] if tree.below(join(root, RESOURCES)) else []
    searched = list(dict.fromkeys((root, *resources, *search_path(settings, root))))
    changelog = Changelog(tree, searched)
    path = changelog.find(normal(name)) if name else ""
    if not path or not list(changelog.change_sets(name)) or is_of_another_database(settings):
        return
    yield Unit(
        "liquibase", root, parent(path), (evidence, f"{path} is a changelog"),
        {
            "changelog": normal(name),
            "searched": "\n".join(searched),
            "watched": "\n".join(changelog.files),
            "class_path": "\n".join(map("=".join, changelog.class_path.items())),
            **{f"liquibase.{key}": value for key, value in settings.items() if key not in OURS},
        },
    )  # fmt: skip


def history(unit: Unit, tree: Tree) -> History:
    return tuple(
        Migration(each.row, each.path, each.digest, repeatable=_is_repeatable(each))
        for each in _change_sets(unit, tree)
        if each.id
    )


def _change_sets(unit: Unit, tree: Tree) -> Iterable[ChangeSet]:
    changelog = Changelog(tree, unit.options.get("searched", unit.root).split("\n"))
    return (each for each in changelog.change_sets(unit.options.get("changelog", "")) if _runs(each, unit))


def downs(unit: Unit, tree: Tree, history: History) -> Mapping[str, str]:
    """With a rollback of their own, or of changes that Liquibase reverses by itself."""
    return {each.row: each.digest for each in _change_sets(unit, tree) if each.has_way_back}


def _is_repeatable(change_set: ChangeSet) -> bool:
    return "true" in (change_set.attributes.get("runOnChange"), change_set.attributes.get("runAlways"))


def _runs(change_set: ChangeSet, unit: Unit) -> bool:
    """Whether it is meant for Postgres, and for the contexts that the project's configuration names.

    With a filter of labels, or a context that is more than names, nothing is required of what has one.
    """
    databases = change_set.attributes.get("dbms", "").lower().replace(" ", "").split(",")
    if databases != [""] and not {"postgresql", "all"} & set(databases):
        if "!postgresql" in databases or not any(each.startswith("!") for each in databases):
            return False
    context = change_set.attributes.get("context") or change_set.attributes.get("contextFilter", "")
    wanted = unit.options.get("liquibase.contexts") or unit.options.get("liquibase.contextfilter", "")
    if context and wanted:
        return bool({each.strip().lower() for each in context.split(",")} & set(wanted.lower().split(",")))
    filtered = any(key.startswith("liquibase.label") for key in unit.options)
    return not (filtered and change_set.attributes.get("labels"))


def apply(unit: Unit, pushed: History) -> Command:
    """Flags for the address; a defaults file of ours for the password and the project's other settings.

    Raises UsageError where the project's settings load properties or classes of the driver.
    """
    settings = {
        key.removeprefix("liquibase."): value
        for key, value in unit.options.items()
        if key.startswith("liquibase.")
    }
    if settings.get("driverpropertiesfile"):
        raise UsageError(
            f"{unit.evidence[0]}: driverPropertiesFile may lead the driver to another database",
            fix="set it where Liquibase is deployed, not in the project's files",
        )
    searched = unit.options.get("searched", unit.root).split("\n")
    lines = [
        f"changeLogFile={unit.options.get('changelog', '')}", "password={password}",
        *(f"{KEPT[key]}={value}" for key, value in settings.items() if key in KEPT),
        *(f"{key}={value}" for key, value in settings.items() if key.startswith("parameter.")),
    ]  # fmt: skip
    # Spring takes "classpath:" off the names of files that changes read; the command line looks for it.
    links = [line.partition("=") for line in unit.options.get("class_path", "").split("\n") if line]
    if searched != [unit.root] or links:  # the root is where Liquibase looks if nothing is said
        places = [f"{{checkout}}/{each}" for each in searched]
        lines.append("liquibase.searchPath=" + ",".join([*places, *(["{files}"] if links else [])]))
    return Command(
        ("liquibase", "--defaults-file={files}/" + DEFAULTS, "--url={jdbc_url}", "--username={user}", "update"),
        "jvm",
        environment={
            "LIQUIBASE_COMMAND_URL": "{jdbc_url}", "LIQUIBASE_COMMAND_USERNAME": "{user}",
            "LIQUIBASE_COMMAND_PASSWORD": "{password}",
            "LIQUIBASE_DEFAULTS_FILE": "{files}/" + DEFAULTS,
        },
        files={DEFAULTS: "\n".join(lines) + "\n"},
        links={name: f"{{checkout}}/{path}" for name, _, path in links},
    )  # fmt: skip


def down(work: Work, tree: Tree) -> Command:
    up = apply(work.unit, work.pushed)
    return replace(up, argv=(*up.argv[:-1], "rollback-count", f"--count={len(work.pushed)}"))


def compare(unit: Unit, tree: Tree) -> Comparison | None:
    """The project's entities; else `liquibase diff` with what its own settings compare with, as far as that is no
    database: ``referenceUrl=hibernate:...`` (its extension), or ``offline:postgresql?snapshot=...``.

    Names of indexes and constraints, and types, differ between such a reference and a database anyway.
    """
    reference = unit.options.get("liquibase.referenceurl", "")
    if not reference.startswith(("hibernate:", "offline:")):
        return entities.compare(unit, tree)
    up = apply(unit, ())
    words = ("diff", f"--reference-url={reference}", "--diff-types=tables,columns,views,sequences")
    return Comparison(
        replace(up, argv=(*up.argv[:-1], *words)),
        differs=r"^(?:Missing|Unexpected) .*\(s\): *$",
        heading=r"^(?:Missing|Unexpected|Changed) .*\(s\):",
        difference=r"^     (?!Reference:|Target:)\S.*",
        by_database=True,
    )


KEPT = {
    "contexts": "contexts", "contextfilter": "contexts", "labels": "labels", "labelfilter": "labelFilter",
    "defaultschemaname": "defaultSchemaName", "liquibaseschemaname": "liquibaseSchemaName",
    "liquibaseschema": "liquibaseSchemaName", "defaultschema": "defaultSchemaName",
    "databasechangelogtablename": "databaseChangeLogTableName",
    "databasechangelogtable": "databaseChangeLogTableName",
    "databasechangeloglocktablename": "databaseChangeLogLockTableName",
    "databasechangeloglocktable": "databaseChangeLogLockTableName",
}  # fmt: skip


def bookkeeping(unit: Unit) -> Bookkeeping:
    table = unit.options.get("liquibase.databasechangelogtablename") or unit.options.get(
        "liquibase.databasechangelogtable", TABLE
    )
    schema = next((unit.options[key] for key in SCHEMAS if unit.options.get(key)), None)
    return Bookkeeping(table.lower(), ROW, schema)


def refusals(unit: Unit) -> Iterable[Refusal]:
    names = (f"liquibase.databasechangeloglocktable{ending}" for ending in ("name", ""))
    table = next((unit.options[name] for name in names if unit.options.get(name)), "databasechangeloglock")
    name = "case when locked then coalesce(lockedby, 'somebody') end"
    free = "update {table} set locked = false, lockgranted = null, lockedby = null"
    yield Refusal(
        table.lower(), name, "`liquibase release-locks`", bookkeeping(unit).schema, is_lock=True, release=free
    )


def prove(before: Ids, after: Ids, history: History, pushed: History) -> Proof:
    """A change set that runs in other contexts, or is skipped by its own condition, leaves no row."""
    return Proof(missing=(before | ids(history)) - after, unexpected=frozenset())


def written(unit: Unit, tree: Tree, migration: Migration) -> Written | None:
    """Of formatted SQL the change set's part; a plain .sql file is one change set."""
    if not migration.path.endswith(".sql"):
        return None
    text = tree.text(migration.path)
    if not FORMATTED.match(text.lstrip("\ufeff")):
        return Written(migration.path, text)
    _, id, author = migration.id.rsplit("::", 2)
    found = sql_of(text, id, author)
    if not found:
        return None
    sql, offset, attributes = found
    return Written(migration.path, sql, offset, transaction=attributes.get("runInTransaction") != "false")


def watch(unit: Unit) -> Iterable[str]:
    """Changelogs that only include others, and files that changes read."""
    return unit.options.get("watched", "").split("\n")


def refused(output: str) -> Ids:
    """Liquibase computes its checksums from the parsed changes: only it can say that one is another."""
    return frozenset(CHANGED.findall(output))


def explain(output: str) -> DatabaseError | None:
    """Liquibase keeps the SQLSTATE to itself."""
    failed = FAILED.search(output)
    message = MESSAGE.search(output, failed.end()) if failed else None
    if not message:
        return None
    return database_error("", message["message"], output, message.end())


SYSTEM = System(
    name="liquibase",
    compare=compare,
    detect=detect,
    history=history,
    apply=apply,
    at=at,
    default_dir="src/main/resources/db/changelog",
    bookkeeping=bookkeeping,
    same=lambda before, after: False,  # the digest of a change set has been compared before this is asked
    prove=prove,
    down=down,
    downs=downs,
    refused=refused,
    watch=watch,
    explain=explain,
    written=written,
    refusals=refusals,
)
