"""What the rooms say to each other about migrations. Pure data: a system describes, run/ does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

@dataclass(frozen=True)
class Unit:
    """One migration system at one place of the repository.

    ``root`` is the directory that the tool is started in, ``migrations_dir`` where its files lie, both
    relative to the repository's top ("" is the top itself). ``options`` is what detection read in the
    project's configuration and its system needs later; ``evidence`` says to a person why this is a hit.
    """

    system: str
    root: str
    migrations_dir: str
    evidence: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Migration:
    """``id`` is what the system's bookkeeping calls it; ``oid`` the blob, to notice edits.

    ``parents`` come before it; ``replaces`` are ids that it stands for (a squashed migration).
    """

    id: str
    path: str
    oid: str
    parents: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bookkeeping:
    """The table in which a tool remembers what it has applied.

    ``id_sql`` is an expression over its row that yields a migration's id as text. ``schema`` None
    means: wherever a table of that name is.
    """

    table: str
    id_sql: str
    schema: str | None = None


@dataclass(frozen=True)
class Command:
    """How a project's own tool is started. The first word of ``argv`` is resolved by run/.

    ``family`` names who resolves it and which driver shim is loaded ("python": the project's
    interpreter). ``module`` is what that interpreter must be able to import. ``files`` are written
    to a private directory which is put first on the family's search path (name -> text); in ``argv``
    and ``environment`` the text ``{files}`` stands for that directory.
    """

    argv: tuple[str, ...]
    family: str
    module: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    url_schemes: tuple[str, ...] = ("postgresql",)


@dataclass(frozen=True)
class Script:
    """SQL files that we run ourselves, in order, as ``psql -v ON_ERROR_STOP=1 -f`` would."""

    paths: tuple[str, ...]
    single_transaction: bool = False


@dataclass(frozen=True)
class Proof:
    """What the bookkeeping says after the tool has run: ids that should be there, ids that should not."""

    missing: frozenset[str] = frozenset()
    unexpected: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Edit:
    """A migration that the main line already has and the push changes. ``what`` is edited, renamed or deleted."""

    id: str
    path: str
    what: str
    new_path: str = ""


@dataclass(frozen=True)
class Work:
    """One unit and what the push means for it. ``history`` is everything at the target, in order.

    ``is_graph``: the order is told by ``parents``. ``numbers`` are the versions that order the migrations
    elsewhere (id -> version), empty where a tool does not order by number. ``downs`` are the ids that have
    a file of their own for the way back, None where a tool knows no such files.
    """

    unit: Unit
    history: tuple[Migration, ...]
    pushed: tuple[Migration, ...]
    edits: tuple[Edit, ...] = ()
    is_graph: bool = False
    numbers: Mapping[str, str] = field(default_factory=dict)
    downs: frozenset[str] | None = None
