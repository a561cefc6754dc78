"""What a push means: which migration systems it concerns, and with which migrations.

The first half of the story, and all of it for most pushes: nothing heavy may be loaded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from neon_hooks.changes import Changes, Range
from neon_hooks.git import Repository
from neon_hooks.registry import concerns_any
from neon_hooks.settings import Settings
from neon_hooks.tree import Tree, join

if TYPE_CHECKING:
    from neon_hooks.plan import Clash, Unit, Work


@dataclass(frozen=True)
class Attempt:
    """One range to validate, and what it brings; or the clash because of which there is nothing to validate."""

    range: Range
    works: Sequence[Work] = ()
    clash: Clash | None = None


def what_is_pushed(
    repository: Repository, pushed: Range, settings: Settings, *, models: bool = False
) -> list[Work]:
    """The units for which the range has new migrations, or changes old ones. ``models``: or only the models."""
    changes = repository.changes(pushed)
    if not concerns(repository, changes, settings, models=models):
        return []
    # Of a rewritten main line the old tip counts: its migrations may have been applied.
    known = pushed.published or pushed.base
    works = works_between(
        changes, repository.tree(pushed.target), repository.tree(known) if known else None, settings
    )
    return [work for work in works if work.pushed or work.edits or (models and work.models)]


def what_is_staged(repository: Repository, range: Range, settings: Settings, head: str | None) -> list[Work]:
    """The units for which the index has migrations that ``head`` has not, or has differently.

    What they mean is told by comparison with the main line, as on a push: only what that has is an old one.
    """
    staged = repository.staged(head)
    if not concerns(repository, Changes(range, staged), settings):
        return []
    changes = Changes(range, staged if range.base == head else repository.staged(range.base))
    works = works_between(
        changes, repository.index(), repository.tree(range.base) if range.base else None, settings
    )
    paths = {file.path for file in staged}
    works = [
        replace(
            work,
            pushed=tuple(m for m in work.pushed if m.path in paths),
            unpublished=tuple(m for m in work.pushed if m.path not in paths),
            edits=tuple(edit for edit in work.edits if {edit.path, edit.new_path} & paths),
        )
        for work in works
    ]
    return [work for work in works if work.pushed or work.edits]


def concerns(repository: Repository, changes: Changes, settings: Settings, *, models: bool = False) -> bool:
    """Whether there may be a migration among the changes, or one of the ``models``. When in doubt: yes."""
    custom = [entry for entry in settings.systems if entry.system == "custom"]
    named = [entry.migrations_dir or join(entry.root, "migrations") for entry in custom]
    return concerns_any(changes, repository.content, named, models=models)


def works_between(changes: Changes, target: Tree, base: Tree | None, settings: Settings) -> list[Work]:
    from neon_hooks import systems  # loads every system

    units = systems.detect(target, settings)
    if base and any(file.status == "D" for file in changes.files):
        units += [unit for unit in systems.detect(base, Settings()) if not _is_among(unit, units)]
    return [systems.work_for(unit, target, base, changes) for unit in units]


def _is_among(unit: Unit, units: Sequence[Unit]) -> bool:
    return any((unit.system, unit.root) == (other.system, other.root) for other in units)
