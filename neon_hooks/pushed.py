"""What a push means: which migration systems it concerns, and with which migrations.

The first half of the story, and all of it for most pushes: nothing heavy may be loaded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neon_hooks.changes import Range
from neon_hooks.git import Repository
from neon_hooks.registry import concerns_any
from neon_hooks.settings import Settings
from neon_hooks.tree import join

if TYPE_CHECKING:
    from neon_hooks.plan import Unit, Work


def what_is_pushed(repository: Repository, pushed: Range, settings: Settings) -> list[Work]:
    """The units for which the range has new migrations, or changes old ones."""
    changes = repository.changes(pushed)
    custom = [entry for entry in settings.systems if entry.system == "custom"]
    named = [entry.migrations_dir or join(entry.root, "migrations") for entry in custom]
    if not concerns_any(changes, repository.content, named):
        return []
    from neon_hooks import systems  # loads every system

    target = repository.tree(pushed.target)
    # Of a rewritten main line the old tip counts: its migrations may have been applied.
    known = pushed.published or pushed.base
    base = repository.tree(known) if known else None
    units = systems.detect(target, settings)
    if base and any(file.status == "D" for file in changes.files):
        units += [unit for unit in systems.detect(base, Settings()) if not _is_among(unit, units)]
    works = [systems.work_for(unit, target, base, changes) for unit in units]
    return [work for work in works if work.pushed or work.edits]


def _is_among(unit: Unit, units: Sequence[Unit]) -> bool:
    return any((unit.system, unit.root) == (other.system, other.root) for other in units)
