"""The migration systems by name, one line each, and what a changed file must look like to concern one.

Pure and light: a push that concerns no system ends after a look at this table, and the systems' own
modules (neon_hooks/systems/<name>.py, with a SYSTEM each) are never loaded.
"""

from __future__ import annotations

from collections.abc import Callable
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


ENTRIES = (
    Entry("alembic", (".py",), (b"revision",)),
    Entry("django", (".py",), (b"Migration",)),
    Entry("sql", (".sql",)),
)


def concerns_any(changes: Changes, read: Callable[[str], bytes]) -> bool:
    """Whether a changed, added or deleted file may be a migration of any system. When in doubt: yes.

    ``read`` returns the contents of a blob by its id.
    """
    for file in changes.files:
        entries = [entry for entry in ENTRIES if file.path.endswith(entry.suffixes)]
        if not entries:
            continue
        texts = [read(oid) for oid in (file.new_oid, file.old_oid) if not is_zero(oid)]
        if any(_shows(entry, text) for entry in entries for text in texts):
            return True
    return False


def _shows(entry: Entry, text: bytes) -> bool:
    return not entry.marks or any(mark in text for mark in entry.marks)
