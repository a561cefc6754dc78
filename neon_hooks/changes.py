"""What a push brings: ref updates and file changes. Pure; git.py fills these in.

Words: ``base`` is a commit that the main line already has, ``target`` the commit that is pushed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from neon_hooks.errors import UsageError


@dataclass(frozen=True)
class RefUpdate:
    """One line of what git tells a pre-push hook (githooks(5)): what goes where."""

    local_ref: str
    local_oid: str
    remote_ref: str
    remote_oid: str

    @property
    def deletes(self) -> bool:
        """A deletion has a local id of zeros: 40 of them, or 64 in a SHA-256 repository."""
        return is_zero(self.local_oid)


@dataclass(frozen=True)
class Step:
    """Another push that is taken for deployed first: the main line without it (``base``) and with it (``commit``)."""

    git_ref: str
    base: str | None
    commit: str


@dataclass(frozen=True)
class Range:
    """The commits of one push. ``base`` is None when the main line has nothing yet (everything is new).

    ``published`` is the tip that a rewriting push of the main line itself replaces, else None: its
    migrations may have been applied, although the target does not descend from it.
    ``rule`` says how the base was found; ``git_ref`` what is pushed, for people. ``after`` are the pushes that
    are deployed before this one, in order; the base is then the last one's commit.
    """

    base: str | None
    target: str
    rule: str
    git_ref: str = ""
    published: str | None = None
    staged: bool = False
    after: tuple[Step, ...] = ()

    @property
    def deployed(self) -> str | None:
        """The commit that the main Neon database branch is taken to stand at."""
        return self.after[0].base if self.after else self.base


@dataclass(frozen=True)
class FileChange:
    """``status`` is git's letter: A added, M modified, D deleted (renames are a D and an A)."""

    path: str
    status: str
    old_oid: str
    new_oid: str


@dataclass(frozen=True)
class Changes:
    range: Range
    files: tuple[FileChange, ...]

    @property
    def added(self) -> frozenset[str]:
        return frozenset(f.path for f in self.files if f.status == "A")

    @property
    def present(self) -> frozenset[str]:
        """Paths that the target has and that differ from the base."""
        return frozenset(f.path for f in self.files if f.status != "D")

    @property
    def gone_or_edited(self) -> frozenset[str]:
        """Paths that the base has and that the target has not, or has differently."""
        return frozenset(f.path for f in self.files if f.status != "A")


def is_zero(oid: str) -> bool:
    return not oid.strip("0")


def parse_ref_updates(lines: Iterable[str]) -> list[RefUpdate]:
    """Read standard input of a pre-push hook. Raises UsageError for a line that is not of its form."""
    updates = []
    for line in lines:
        if not line.strip():
            continue
        fields = line.rsplit(maxsplit=3)
        if len(fields) != 4:
            raise UsageError(
                f"standard input has a line that git does not write for a pre-push hook: {line.strip()!r}",
                fix="call `neon-hooks pre-push REMOTE URL` from a pre-push hook, with its standard input",
            )
        updates.append(RefUpdate(*fields))
    return updates


def parse_raw_diff(output: str) -> tuple[FileChange, ...]:
    """Read ``git diff-tree --raw -z --no-renames``: ``:mode mode oid oid status NUL path NUL`` ..."""
    fields = output.split("\0")
    changes = []
    for meta, path in zip(fields[0::2], fields[1::2]):
        _, _, old, new, status = meta.removeprefix(":").split()
        # A change of type (T: a file became a link) is treated as an edit.
        changes.append(FileChange(path, status if status in "AD" else "M", old, new))
    return tuple(changes)
