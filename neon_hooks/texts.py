"""What the texts of the pushed migrations say: the linter's findings in their SQL, and their acceptance comments.

Joins systems, lint and a tree for gate.py and for `neon-hooks lint`. Nothing is run and nothing connects.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from typing import Any

from neon_hooks import acceptances, systems
from neon_hooks.checks.lints import OFF
from neon_hooks.errors import UsageError
from neon_hooks.facts import Linted, MigrationRun, Statement, UnitFacts
from neon_hooks.lint.reading import Hit, Source, read, tables_created
from neon_hooks.lint.squawk import Options
from neon_hooks.plan import Migration, Written
from neon_hooks.systems.base import sql_of
from neon_hooks.systems.places import first_file, up_from
from neon_hooks.tree import Tree

CONFIG = ".squawk.toml"
TEXTS = ("excluded_rules", "included_rules", "excluded_paths")
# What the wire does not show as the author wrote it.
NOT_OF_RECORDED_SQL = ("transaction-nesting", "ban-uncommitted-transaction")


@dataclass(frozen=True)
class Text:
    """What is linted for one migration, and how a line of it becomes a place."""

    path: str
    source: Source
    offset: int = 0
    statements: tuple[Statement, ...] = ()  # where the SQL was recorded

    def linted(self, hit: Hit) -> Linted:
        line, first, last = (n + self.offset for n in (hit.line, hit.statement.line, hit.statement.last))
        if self.statements:
            line = first = last = self._recorded(hit)
        return Linted(
            hit.rule, self.path, line, hit.message, hit.help, hit.statement.text, first, last, hit.new_table
        )

    def _recorded(self, hit: Hit) -> int:
        """The line of the project's code that sent the statement."""
        number = self.source.text.count(END, 0, hit.statement.start)
        statement = self.statements[min(number, len(self.statements) - 1)]
        return statement.line or next((line for path, line in statement.frames if path == self.path), 0)


END = "\n;\n"  # between two recorded statements


def with_texts(unit: UnitFacts, tree: Tree, server_version: int = 0) -> UnitFacts:
    """The unit's facts with what its texts say. Raises UsageError for a .squawk.toml that cannot be read."""
    work = unit.work
    edited = (edit.new_path or edit.path for edit in work.edits)
    paths = dict.fromkeys((*(migration.path for migration in work.pushed), *edited))
    accepted = (each for path in paths for each in acceptances.read(path, tree.text(path)))
    return replace(unit, accepted=tuple(accepted), linted=tuple(_linted(unit, tree, server_version)))


def _linted(unit: UnitFacts, tree: Tree, server_version: int) -> Iterable[Linted]:
    config = _config(unit, tree)
    texts = [text for text in _texts(unit, tree) if not _is_excluded(text.path, config)]
    for recorded in (False, True):
        some = [text for text in texts if bool(text.statements) == recorded]
        if not some:
            continue
        options = _options(config, server_version, NOT_OF_RECORDED_SQL if recorded else ())
        for text, hits in zip(some, read([text.source for text in some], options), strict=True):
            yield from (text.linted(hit) for hit in hits)


def _texts(unit: UnitFacts, tree: Tree) -> Iterable[Text]:
    """In the order in which they run: a table that one creates is new to those after it."""
    system, work = systems.by_name(unit.unit.system), unit.work
    runs = {run.id: run for run in unit.migrations}
    places = {migration.id: place for place, migration in enumerate(work.history)}
    new: frozenset[str] = frozenset()
    for migration in sorted((*work.unpublished, *work.pushed), key=lambda each: places.get(each.id, 0)):
        recorded = _of_run(migration, runs, new)
        text = None if recorded and is_code(migration) else _of_file(sql_of(system, unit.unit, tree, migration), new)
        text = text or recorded
        if text:
            new = tables_created(text.source)
        if text and migration in work.pushed:
            yield text


def is_code(migration: Migration) -> bool:
    """Whether the file holds more than what stands in it as a literal."""
    return not migration.path.endswith(".sql")


def _of_file(written: Written | None, new: frozenset[str]) -> Text | None:
    if written is None:
        return None
    return Text(written.path, Source(written.sql, written.transaction, new), written.offset)


def _of_run(migration: Migration, runs: Mapping[str, MigrationRun], new: frozenset[str]) -> Text | None:
    """What went over the wire, for a migration whose SQL only its code knows."""
    run = runs.get(migration.id)
    if run is None or not run.statements:
        return None
    sql = "".join(statement.sql.strip().rstrip(";") + END for statement in run.statements)
    says_begin = any(statement.sql.lstrip()[:5].upper() in ("BEGIN", "START") for statement in run.statements)
    in_one = any(statement.in_block for statement in run.statements)
    return Text(migration.path, Source(sql, in_one and not says_begin, new), statements=run.statements)


def _config(unit: UnitFacts, tree: Tree) -> Mapping[str, Any]:
    """The .squawk.toml of the unit's root or of a directory above it."""
    path = first_file(tree, up_from(unit.unit.root), CONFIG)
    try:
        found = tomllib.loads(tree.text(path)) if path else {}
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}", fix="correct the file") from None
    for key in TEXTS:
        if not isinstance(found.get(key, []), list) or not all(isinstance(e, str) for e in found.get(key, [])):
            raise UsageError(f"{path}: `{key}` must be a list of texts", fix="correct the file")
    return found


def _options(config: Mapping[str, Any], server_version: int, more: Sequence[str]) -> Options:
    """The project's own choice of rules beats ours."""
    included = tuple(config.get("included_rules", ()))
    off = tuple(rule for rule in OFF if rule not in included)
    version = f"{server_version // 10000}" if server_version else str(config.get("pg_version", ""))
    return Options((*off, *config.get("excluded_rules", ()), *more), included, version)


def _is_excluded(path: str, config: Mapping[str, Any]) -> bool:
    return any(fnmatch(path, p) or path.endswith(f"/{p}") for p in config.get("excluded_paths", ()))
