"""Where a trial works, what it sees there, and how it starts the migrations of one unit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from neon_hooks.database.connect import connect_when_ready
from neon_hooks.database.execute import FileRun, run_files
from neon_hooks.database.inspect import difference, recorded, refused, schema_lines
from neon_hooks.database.tables import catalogue
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable
from neon_hooks.facts import Catalogue, Refused, Statement, ToolRun
from neon_hooks.plan import Bookkeeping, Refusal, Script

# Runs the migrations of one unit in the database that is handed to it: the same one, by another way, while
# the flight recorder listens.
Start = Callable[[Dsn], ToolRun]


@dataclass(frozen=True)
class Place:
    """A checkout of the pushed tree, and the unit's database on the test Neon database branch.

    ``unrecorded`` says why the flight recorder is left out, "" where it takes part.
    """

    checkout: Path
    dsn: Dsn
    deadline: Deadline
    redact: Callable[[str], str] = str
    unrecorded: str = ""


@dataclass(frozen=True)
class Sight:
    """What the database holds: the bookkeeping's ids with their checksums (None: no table), its schema as
    lines, its tables, and what a tool would refuse to work because of.
    """

    records: Mapping[str, str] | None
    schema: tuple[str, ...]
    catalogue: Catalogue = Catalogue()
    refusals: tuple[Refused, ...] = ()

    @property
    def rows(self) -> frozenset[str] | None:
        return None if self.records is None else frozenset(self.records)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(self.records or ())


def changed(before: Sight, after: Sight) -> str:
    """What differs in the bookkeeping and in the schema, "" for nothing."""
    changes = (
        difference(tuple(sorted(before.ids)), tuple(sorted(after.ids))),
        difference(before.schema, after.schema),
    )
    return "\n".join(filter(None, changes))


def look(
    place: Place, bookkeeping: Bookkeeping | None, *, tables: bool = False, refusals: Iterable[Refusal] = ()
) -> Sight:
    """``tables``: read the catalogue as well, which counts the rows of small tables."""
    with closing(connect_when_ready(place.dsn, place.deadline)) as connection:
        records = recorded(connection, bookkeeping) if bookkeeping else None
        found = catalogue(connection) if tables else Catalogue()
        return Sight(records, schema_lines(connection), found, refused(connection, refusals))


def start_script(script: Script, place: Place) -> ToolRun:
    """Run SQL files ourselves, and tell it as if psql had done it.

    Raises Unavailable when a file is not UTF-8.
    """
    began = time.monotonic()
    files = [(path, _text(place.checkout / path, path)) for path in script.paths]
    runs = run_files(
        place.dsn, files, read=_reader(place.checkout), single_transaction=script.single_transaction
    )
    return ToolRun(
        argv=("psql", "-v", "ON_ERROR_STOP=1", *(word for path in script.paths for word in ("-f", path))),
        exit_code=3 if any(run.error for run in runs) else 0,  # psql's own exit code for a failed script
        ms=(time.monotonic() - began) * 1000,
        output="",
        statements=tuple(statement for run in runs for statement in _named(run)),
    )


def _named(run: FileRun) -> list[Statement]:
    return [replace(statement, path=run.path) for statement in run.statements]


def _text(file: Path, name: str) -> str:
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise Unavailable(
            f"{name}: not valid UTF-8 (byte {error.start})", fix="save the file as UTF-8"
        ) from None


def _reader(checkout: Path) -> Callable[[str, str], str]:
    """How a file that ``\\i`` names is found: beside the including one, else from the top; never outside."""

    def read(name: str, including: str) -> str:
        for base in ((checkout / including).parent, checkout):
            file = (base / name).resolve()
            if file.is_relative_to(checkout.resolve()) and file.is_file():
                return _text(file, name)
        raise FileNotFoundError(2, "no such file in the repository")

    return read
