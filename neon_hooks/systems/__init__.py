"""What is asked of all migration systems together: which are there, and what a push means for them.

Each system is one module here with a SYSTEM, and one line in registry.py. Knows trees and data: nothing
here opens a file, starts a process or imports a project's code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module

from neon_hooks.changes import Changes
from neon_hooks.errors import UsageError
from neon_hooks.plan import Command, Comparison, Edit, Migration, Script, Unit, Work
from neon_hooks.registry import ENTRIES, MODELS
from neon_hooks.settings import COMMANDS, Settings, SystemSettings
from neon_hooks.systems import schema
from neon_hooks.systems.base import History, System, kept
from neon_hooks.systems.custom import own_command
from neon_hooks.systems.places import is_foreign
from neon_hooks.systems.pycode import same_code
from neon_hooks.systems.waysback import is_given_up
from neon_hooks.tree import Tree, inside, join, parent

SYSTEMS: tuple[System, ...] = tuple(import_module(entry.module).SYSTEM for entry in ENTRIES)
# Keys of [[systems]] that others need: they travel in Unit.options.
PASSED_ON = (*COMMANDS, "python", "database", "family", "table", "schema", "id", "id_pattern")


def by_name(name: str) -> System:
    """The system called ``name``. Raises UsageError that lists the names there are."""
    for system in SYSTEMS:
        if system.name == name:
            return system
    names = ", ".join(system.name for system in SYSTEMS)
    raise UsageError(f"[[systems]]: {name!r} is not a migration system", fix=f"valid names: {names}")


def keeps_record(unit: Unit) -> bool:
    """Whether the database knows which of the unit's migrations are applied."""
    return kept(by_name(unit.system), unit) is not None


def detect(tree: Tree, settings: Settings) -> list[Unit]:
    """Every migration system of a tree: what its files show, and what the settings add or say better.

    Raises UsageError for an entry of the settings that names no system or no directory of the tree.
    """
    entries = [(entry, by_name(entry.system)) for entry in settings.systems]
    units = [unit for system in SYSTEMS for unit in system.detect(tree)]
    units = _with_schema(units, tree, settings)
    units = [unit for unit in units if not (unit.system == "sql" and _is_claimed(unit, units))]
    units = [unit for unit in units if not _is_applied_by_supabase(unit, units, settings)]
    for entry, system in entries:
        units = _with_entry(units, entry, system, tree)
    return units


def _with_schema(units: list[Unit], tree: Tree, settings: Settings) -> list[Unit]:
    """A desired-state schema counts only where no migration system is; the settings may name another place."""
    said, found = settings.schema, [unit for unit in units if unit.system == "schema"]
    others = [unit for unit in units if unit.system != "schema"]
    if said.path and schema.files(tree, said.path):
        directory = said.migrations_dir or join(parent(said.path), "migrations")
        found = [schema.unit(said.path, directory, evidence=f"{said.path}: [schema] in the settings")]
    elif said.migrations_dir:
        found = [replace(unit, migrations_dir=said.migrations_dir) for unit in found]
    ours = {unit.migrations_dir for unit in found}
    if any(unit.system != "sql" or unit.migrations_dir not in ours for unit in others):
        return others
    named = any(
        entry.system not in ("sql", "schema")
        or (entry.system == "sql" and entry.migrations_dir and entry.migrations_dir not in ours)
        for entry in settings.systems
    )
    return others if named else [*others, *found]


def _is_claimed(sql: Unit, units: list[Unit]) -> bool:
    """Whether another system's migrations lie in the same directory: its tool runs the SQL files."""
    others = [unit for unit in units if unit.system not in ("sql", "django")]
    return any(
        sql.migrations_dir == u.migrations_dir or inside(sql.migrations_dir, u.migrations_dir) for u in others
    )


def _is_applied_by_supabase(unit: Unit, units: list[Unit], settings: Settings) -> bool:
    """Whether one of two tools that share supabase/migrations is not the one that deploys.

    There another one, like Drizzle, writes the files that ``supabase db push`` applies; it applies them
    itself if the settings name it.
    """
    here = {each.system for each in units if each.migrations_dir == unit.migrations_dir}
    if "supabase" not in here or len(here) == 1:
        return False
    named = {entry.system for entry in settings.systems} & here - {"supabase"}
    return unit.system == "supabase" if named else unit.system != "supabase"


def those_there(tree: Tree, settings: Settings) -> Settings:
    """The settings without the entries whose directory ``tree``, an older commit, does not have."""
    kept = [entry for entry in settings.systems if tree.below(_directory(entry, by_name(entry.system)))]
    return replace(settings, systems=tuple(kept))


def _directory(entry: SystemSettings, system: System) -> str:
    return entry.migrations_dir or join(entry.root, system.default_dir)


def _with_entry(units: list[Unit], entry: SystemSettings, system: System, tree: Tree) -> list[Unit]:
    matching = [unit for unit in units if _is_meant(unit, entry)]
    if not matching:
        directory = _directory(entry, system)
        if not tree.below(directory):
            raise UsageError(
                f"[[systems]]: there is no directory {directory!r} at the pushed commit",
                fix=f"correct `root` and `migrations_dir` of the entry for {entry.system}",
            )
        units = [unit for unit in units if not (unit.system == "sql" and unit.migrations_dir == directory)]
        return [*units, _passed_on(system.at(tree, entry.root, directory), entry)]
    return [_passed_on(unit, entry) if unit in matching else unit for unit in units]


def _is_meant(unit: Unit, entry: SystemSettings) -> bool:
    """An entry without a place speaks of every unit of its system."""
    return (
        unit.system == entry.system
        and entry.root in ("", unit.root)
        and entry.migrations_dir in ("", unit.migrations_dir)
    )


def _passed_on(unit: Unit, entry: SystemSettings) -> Unit:
    options = {key: getattr(entry, key) for key in PASSED_ON if getattr(entry, key)}
    if entry.url_variables:
        options["url_variables"] = " ".join(entry.url_variables)
    if entry.single_transaction:
        options["single_transaction"] = "true"
    return replace(unit, options={**unit.options, **options})


def start_of(work: Work) -> Command | Script:
    """How the pushed migrations are applied: by the command of the settings, or as the system does it."""
    if work.unit.options.get("command"):
        return own_command(work.unit, "command")
    return by_name(work.unit.system).apply(work.unit, work.pushed)


def work_for_files(unit: Unit, tree: Tree, paths: frozenset[str]) -> Work:
    """The unit with the migrations among ``paths`` as new ones."""
    system = by_name(unit.system)
    history = tuple(system.history(unit, tree))
    return Work(unit, history, tuple(m for m in history if m.path in paths), is_graph=system.is_graph)


def comparison_of(unit: Unit, tree: Tree) -> Comparison | None:
    """How the tool compares its models with its migrations; not where the settings start it in another way."""
    system = by_name(unit.system)
    return system.compare(unit, tree) if system.compare and not unit.options.get("command") else None


def status_of(unit: Unit) -> Command | None:
    """What the settings want to be asked when the migrations have run."""
    return own_command(unit, "status") if unit.options.get("status") else None


def way_back(work: Work, tree: Tree) -> Command | Script | None:
    """How what is pushed is taken back: by the command of the settings, else as the system does it.

    None where that is not known, where the settings start the system in a way of their own, and where a
    pushed migration has no way back, or says that there is none.
    """
    if not work.pushed:
        return None
    if work.unit.options.get("down"):
        return own_command(work.unit, "down")
    system = by_name(work.unit.system)
    if not system.down or not system.downs or work.unit.options.get("command"):
        return None
    comes_last = work.is_graph or work.history[-len(work.pushed) :] == work.pushed
    downs = system.downs(work.unit, tree, work.pushed)
    if not comes_last or any(m.repeatable or is_given_up(downs.get(m.id, "")) for m in work.pushed):
        return None
    return system.down(work, tree)


def steps_back(work: Work) -> int:
    """How often the way back is started."""
    one = by_name(work.unit.system).down_one and not work.unit.options.get("down")
    return len(work.pushed) if one else 1


def work_for(unit: Unit, target: Tree, base: Tree | None, changes: Changes) -> Work:
    """What the push means for ``unit``. ``base`` None: the main line has nothing yet, everything is new."""
    system = by_name(unit.system)
    work = _work_for(unit, system, target, base, changes)
    numbers = {migration.id: system.number(migration) for migration in work.history}
    return replace(
        work,
        is_graph=system.is_graph,
        numbers={id: number for id, number in numbers.items() if number},
        checksums=_checksums(system, target, work),
        one_way=_one_way(system, unit, target, work),
        all_one_way=system.no_way_back,
        models=_changed_models(unit, target, base, changes) if comparison_of(unit, target) else (),
        downs=frozenset(system.downs(unit, target, work.history)) if system.downs and work.pushed else None,
    )


def _one_way(system: System, unit: Unit, tree: Tree, work: Work) -> frozenset[str]:
    """The pushed migrations whose way back is missing, or only says that there is none."""
    if not system.downs or not work.pushed:
        return frozenset()
    texts = system.downs(unit, tree, work.pushed)
    return frozenset(m.id for m in work.pushed if not m.repeatable and is_given_up(texts.get(m.id, "")))


def _changed_models(unit: Unit, target: Tree, base: Tree | None, changes: Changes) -> tuple[str, ...]:
    """The changed files that say what the schema should be; comments in Python do not count."""
    models, found = MODELS[unit.system], []
    for file in changes.files:
        path = file.path
        is_migration = unit.migrations_dir not in ("", unit.root) and inside(path, unit.migrations_dir)
        if is_migration or not inside(path, unit.root) or is_foreign(path) or not models.names(path):
            continue
        before, after = base.content(path) if base else b"", target.content(path)
        is_same = path.endswith(".py") and path in target and before and same_code(before, after)
        if not is_same and (models.shows(before) or models.shows(after)):
            found.append(path)
    return tuple(found)


def _checksums(system: System, tree: Tree, work: Work) -> dict[str, frozenset[str]]:
    """Of old migrations that the push leaves alone; those that it edits are found without a database."""
    if system.checksums is None or not (work.pushed or work.edits):
        return {}
    changed = {migration.id for migration in work.pushed} | {edit.id for edit in work.edits}
    old = (m for m in work.history if m.id not in changed and not m.repeatable)
    found = {m.id: frozenset(system.checksums(tree, m)) for m in old}
    return {id: sums for id, sums in found.items() if sums}


def _work_for(unit: Unit, system: System, target: Tree, base: Tree | None, changes: Changes) -> Work:
    history = tuple(system.history(unit, target))
    if base is None:
        return Work(unit, history, pushed=history)
    if not _is_touched(unit, history, target, changes, system.watch(unit)):
        return Work(unit, history, pushed=tuple(m for m in history if m.path in changes.added))
    shared = _reading_shared_files_once(base, target)
    published = {migration.id: migration for migration in _published(unit, system, shared, history)}
    pushed = tuple(m for m in history if _is_new(m, published, changes))
    return Work(unit, history, pushed, tuple(_edits(system, published, history, pushed, shared, target)))


def _is_touched(
    unit: Unit, history: History, target: Tree, changes: Changes, watched: Iterable[str]
) -> bool:
    """Whether the push changes or removes a file that is, or was, one of the unit's migrations."""
    known = {migration.path for migration in history}
    if known and known <= changes.added:
        return True  # a new unit, or one that moved here
    directories = {unit.root, unit.migrations_dir}  # a whole package can be gone
    return any(
        path in known
        or path in watched
        or (path not in target and any(inside(path, directory) for directory in directories))
        for path in changes.gone_or_edited
    )


def _reading_shared_files_once(base: Tree, target: Tree) -> Tree:
    """The base, with unchanged files read from the target, where they have been read already."""

    def read(path: str) -> bytes:
        return (target if target.oids.get(path) == base.oids[path] else base).content(path)

    return Tree(base.oids, read)


def _published(unit: Unit, system: System, base: Tree, history: History) -> History:
    """The unit's migrations at the base; at another place, if the push moves the directory."""
    found = system.history(unit, base)
    if found:
        return found
    elsewhere = [system.history(other, base) for other in system.detect(base)]
    closest = max(elsewhere, key=lambda other: _shared(other, history), default=())
    return closest if _shared(closest, history)[0] else ()


def _shared(one: History, other: History) -> tuple[int, int]:
    """How many ids two histories share, and how many contents."""
    return len({m.id for m in one} & {m.id for m in other}), len(
        {m.oid for m in one} & {m.oid for m in other}
    )


def _is_new(migration: Migration, published: dict[str, Migration], changes: Changes) -> bool:
    before = published.get(migration.id)
    if before is None:
        return True
    return migration.oid != before.oid and (migration.repeatable or migration.path in changes.added)


def _edits(
    system: System,
    published: dict[str, Migration],
    history: History,
    pushed: History,
    base: Tree,
    target: Tree,
) -> list[Edit]:
    now = {migration.id: migration for migration in history}
    now |= {m.id: m for m in history if m.id in published and m.path == published[m.id].path}  # of two with one id
    squashed = {id for m in (*published.values(), *history) for id in m.replaces}
    renamed = {migration.oid: migration for migration in pushed}
    edits = []
    for id, before in published.items():
        if before.repeatable or system.unseen(before):
            continue
        if id in now:
            after = now[id]
            if before.row != after.row or (
                before.oid != after.oid
                and not system.same(base.content(before.path), target.content(after.path))
            ):
                edits.append(Edit(id, after.path, "edited"))
        elif id not in squashed:
            new = renamed.get(before.oid)
            edits.append(Edit(id, before.path, "renamed" if new else "deleted", new.path if new else ""))
    return edits
