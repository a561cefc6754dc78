"""What `neon-hooks generate` is asked for: a desired schema, and the migrations that lead up to it so far.

Light, like pushed.py: most pushes end here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from neon_hooks.changes import Range
from neon_hooks.errors import Blocked, UsageError
from neon_hooks.git import Repository
from neon_hooks.plan import Migration, Unit
from neon_hooks.push import Push
from neon_hooks.ranges import range_of
from neon_hooks.settings import FILES, Settings
from neon_hooks.tree import Tree


@dataclass(frozen=True)
class Asked:
    """``unit`` is the one with the schema. ``refusal``, where there is none: what there is instead.

    ``merged`` are migrations that are on the main line, ``pending`` those that are not yet; ``loose`` are numbered
    files that nobody has committed.
    """

    range: Range
    tree: Tree
    unit: Unit | None = None
    refusal: str = ""
    merged: tuple[Migration, ...] = ()
    pending: tuple[Migration, ...] = ()
    loose: tuple[str, ...] = ()


def asked(repository: Repository, settings: Settings) -> Asked:
    """For the work tree, committed or not. Raises UsageError where there is no schema."""
    head = repository.resolve("HEAD")
    range = range_of(repository, Push("HEAD", commit=head), base=settings.base) if head else Range(None, "", "no commit yet")
    found = _asked(repository, range, repository.work_tree(), settings)
    if not found.unit and not found.refusal:
        from neon_hooks.systems.schema import NAMES

        raise UsageError(
            "there is no migration system here, and no schema to generate migrations from",
            fix=f"write {NAMES[0]}, or name a file or folder of SQL files: `[schema] path` in the settings",
        )
    return found


def asked_of_push(repository: Repository, pushed: Range, settings: Settings) -> Asked | None:
    """For a pushed commit; None when it changes neither SQL nor settings, or when there is no schema."""
    changes = repository.changes(pushed)
    if not any(file.path.endswith(".sql") or file.path in FILES for file in changes.files):
        return None
    found = _asked(repository, pushed, repository.tree(pushed.target), settings)
    if found.unit:
        disk = repository.work_tree().below(found.unit.migrations_dir)
        found = replace(found, loose=tuple(path for path in disk if path.endswith(".sql") and path not in found.tree))
    return found if found.unit or found.refusal else None


def _asked(repository: Repository, range: Range, tree: Tree, settings: Settings) -> Asked:
    from neon_hooks import systems  # loads every system

    units = systems.detect(tree, settings)
    named = settings.schema.path
    if not units and named:
        raise UsageError(f"[schema] path: there is no SQL in {named}", fix="correct the path, or commit the file")
    others = [unit for unit in units if unit.system != "schema"]
    if others:
        said = ", ".join(f"{unit.system} ({unit.evidence[0]})" for unit in others)
        return Asked(range, tree, refusal=f"this project has a migration system, which writes its migrations: {said}")
    if not units:
        return Asked(range, tree)
    (unit,) = units
    system = systems.by_name(unit.system)
    there = {migration.id for migration in system.history(unit, repository.tree(range.base))} if range.base else set()
    history = system.history(unit, tree)
    merged = tuple(migration for migration in history if migration.id in there)
    return Asked(range, tree, unit, merged=merged, pending=tuple(each for each in history if each not in merged))


def schema_files(found: Asked) -> list[tuple[str, str]]:
    """(path, text) of the desired schema. Raises Blocked for one that is not UTF-8."""
    from neon_hooks.systems.schema import files

    assert found.unit
    return list(_texts(found.tree, files(found.tree, found.unit.options["schema"])))


def _texts(tree: Tree, paths: list[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        try:
            yield path, tree.content(path).decode()
        except UnicodeDecodeError as error:
            raise Blocked(f"{path}: not valid UTF-8 (byte {error.start})", fix="save the file as UTF-8") from None
