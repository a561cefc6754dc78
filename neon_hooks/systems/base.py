"""What a migration system is to the rest of the house: data, and a few pure functions.

A system reads files of one commit from a Tree and describes; it never runs, imports or connects.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from neon_hooks.facts import DatabaseError
from neon_hooks.plan import (
    Bookkeeping, Command, Comparison, Migration, Proof, Refusal, Replayed, Script, Unit, Work, Written,
)  # fmt: skip
from neon_hooks.sqlscript import split
from neon_hooks.tree import Tree

Ids = frozenset[str]
History = Sequence[Migration]


def same_bytes(before: bytes, after: bytes) -> bool:
    """For tools that keep a checksum of the file: any change counts."""
    return before == after


def any_line_ends(content: bytes) -> tuple[bytes, bytes]:
    """A file as it may lie in a work tree: git changes the ends of lines where it is told to."""
    plain = content.replace(b"\r\n", b"\n")
    return plain, plain.replace(b"\n", b"\r\n")


def ids(history: History) -> Ids:
    return frozenset(migration.id for migration in history)


def id_as_number(migration: Migration) -> str:
    """For tools whose ids are versions; and for tools that sort names, where only equal names collide."""
    return migration.id


def rows_are_ids(rows: Ids, history: History) -> Ids:
    """The migrations that are applied, where the bookkeeping has one row for each."""
    return rows & ids(history)


def every_id_is_a_row(before: Ids, after: Ids, history: History, pushed: History) -> Proof:
    """What must be there afterwards: all that was there before, and every migration of the tree."""
    return Proof(missing=(before | ids(history)) - after, unexpected=after - before - ids(history))


def rows_without_a_file(rows: Ids, history: History) -> Ids:
    """Rows that no migration of the tree explains: somebody else's push has been applied already."""
    explained = ids(history).union(*(migration.replaces for migration in history))
    return rows - explained


def plain_unit(system: str) -> Callable[[Tree, str, str], Unit]:
    """The unit that a ``[[systems]]`` entry asks for, where a system needs to know nothing more."""

    def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
        return Unit(system, root, migrations_dir, ("[[systems]] in the settings",))

    return at


@dataclass(frozen=True)
class System:
    """One migration tool.

    detect:       every place in a tree where the tool is used, each with its evidence
    history:      a unit's migrations in the order in which the tool applies them
    apply:        how the pushed ones are applied
    at:           the unit at a (root, migrations directory) that the settings name
    default_dir:  where migrations lie below a root when the settings do not say
    bookkeeping:  the table in which the tool remembers, None when it keeps none
    down:         (work, tree) -> how what is pushed, which is all that came last, is taken back; None: not known.
                  Asked only where each of the pushed migrations has a way back.
    down_one:     ``down`` takes back one migration at a time
    same:         whether two contents of one migration mean the same
    applied:      (rows, history) -> ids that are applied
    prove:        (rows before, rows after, history, pushed) -> what is missing, what is too many
    unknown:      (rows, history) -> rows of migrations that the tree does not have
    is_graph:     migrations name their parents, and the tool expects one head
    number:       the version that orders a migration among the others, or a name that begins with one; no two
                  may have the same. "" where nothing is ordered by one
    downs:        the migrations that have a way back, as far as files can tell (waysback.py), each with the text
                  of it; None: the tool knows none
    checksums:    what the bookkeeping holds for a migration whose file is as it is in the tree: any of these; none:
                  it cannot be said
    refused:      the tool's output -> ids whose checksum, it says, no longer matches
    skipped:      (unit, rows, history, pushed) -> ids that are not applied, and that the tool will silently
                  never apply
    unseen:       whether the tool passes over a file because of its name: no database has applied it
    watch:        files beside the migrations that say which there are, and in which order
    finished:     (output, whether the schema changed) -> whether a tool without a bookkeeping has done its work
    explain:      the tool's output -> Postgres' words in it; for tools that no driver shim can watch
    replay:       (unit, tree, pending) -> how we run their SQL ourselves where the tool is not installed;
                  fewer than ``pending``: not all of them are SQL. None: never.
    written:      (unit, tree, migration) -> the SQL that stands in its file, None where only code can tell.
                  Not given: what is replayed, else a whole .sql file in one transaction.
    no_way_back:  the tool knows no way back at all
    refusals:     states of the tool's own tables in which it refuses to work
    compare:      (unit, tree) -> how the tool compares its models (registry.MODELS) with its migrations; None: here
                  it cannot
    """

    name: str
    detect: Callable[[Tree], Iterable[Unit]]
    history: Callable[[Unit, Tree], History]
    apply: Callable[[Unit, History], Command | Script]
    at: Callable[[Tree, str, str], Unit]
    default_dir: str = "migrations"
    bookkeeping: Callable[[Unit], Bookkeeping | None] | None = None
    down: Callable[[Work, Tree], Command | Script | None] | None = None
    down_one: bool = False
    same: Callable[[bytes, bytes], bool] = same_bytes
    applied: Callable[[Ids, History], Ids] = rows_are_ids
    prove: Callable[[Ids, Ids, History, History], Proof] = every_id_is_a_row
    unknown: Callable[[Ids, History], Ids] = rows_without_a_file
    is_graph: bool = False
    number: Callable[[Migration], str] = lambda migration: ""
    downs: Callable[[Unit, Tree, History], Mapping[str, str]] | None = None
    checksums: Callable[[Tree, Migration], Iterable[str]] | None = None
    refused: Callable[[str], Ids] = lambda output: frozenset()
    skipped: Callable[[Unit, Ids, History, History], Ids] = lambda unit, rows, history, pushed: frozenset()
    unseen: Callable[[Migration], bool] = lambda migration: False
    watch: Callable[[Unit], Iterable[str]] = lambda unit: ()
    finished: Callable[[str, bool], bool] = lambda output, changed: True
    explain: Callable[[str], DatabaseError | None] = lambda output: None
    replay: Callable[[Unit, Tree, History], Sequence[Replayed]] | None = None
    written: Callable[[Unit, Tree, Migration], Written | None] | None = None
    no_way_back: bool = False
    refusals: Callable[[Unit], Iterable[Refusal]] = lambda unit: ()
    compare: Callable[[Unit, Tree], Comparison | None] | None = None


def kept(system: System, unit: Unit) -> Bookkeeping | None:
    """The table in which the tool remembers what it has applied, None when it keeps none."""
    return system.bookkeeping(unit) if system.bookkeeping else None


def sql_of(system: System, unit: Unit, tree: Tree, migration: Migration) -> Written | None:
    """The SQL that ``migration`` sends, if it stands in its file."""
    if system.written:
        return system.written(unit, tree, migration)
    if not migration.path.endswith(".sql"):
        return None
    for step in system.replay(unit, tree, (migration,)) if system.replay else ():
        in_one = step.transaction or (step.implicit and are_several(step.sql))
        return Written(step.path, step.sql, step.offset, transaction=in_one)
    return Written(migration.path, tree.text(migration.path))


def are_several(sql: str) -> bool:
    """Postgres runs several statements of one simple query in one transaction (manual, section 54.2.2.1)."""
    return len(list(split(sql))) > 1


def as_psql_runs_it(unit: Unit, tree: Tree, migration: Migration) -> Written | None:
    """A whole .sql file, each statement on its own unless the file says BEGIN."""
    if not migration.path.endswith(".sql"):
        return None
    alone = unit.options.get("single_transaction") != "true"
    return Written(migration.path, tree.text(migration.path), transaction=not alone)


def foundation(work: Work) -> str | None:
    """The id that what is pushed stands on, "" for none at all; None where it is more than one."""
    pushed = ids(work.pushed)
    below = {parent for migration in work.pushed for parent in migration.parents} - pushed
    return next(iter(below), "") if len(below) < 2 else None


def below(work: Work) -> str:
    """The id that comes before everything that is pushed, where the pushed come last; "" for none."""
    published = work.history[: len(work.history) - len(work.pushed)]
    return published[-1].id if published else ""


def heads(history: History) -> Ids:
    """The ids that no other migration comes after."""
    return ids(history).difference(*(migration.parents for migration in history))


def ancestors(of: Ids, history: History) -> Ids:
    """``of`` (as far as the history knows them) and everything that comes before them."""
    parents = {migration.id: migration.parents for migration in history}
    found: set[str] = set()
    waiting = [id for id in of if id in parents]
    while waiting:
        id = waiting.pop()
        if id not in found:
            found.add(id)
            waiting += [parent for parent in parents[id] if parent in parents]
    return frozenset(found)


def in_order(migrations: Iterable[Migration]) -> tuple[Migration, ...]:
    """Parents first; among equals by path, so that the order never depends on chance.

    What lies on a cycle comes last: the tool itself will refuse it, with its own words.
    """
    by_path = sorted(migrations, key=lambda migration: migration.path)
    by_id = {migration.id: migration for migration in by_path}
    children: dict[str, list[Migration]] = {}
    missing: dict[str, int] = {}
    for migration in by_id.values():
        known = {parent for parent in migration.parents if parent in by_id}
        missing[migration.id] = len(known)
        for parent in known:
            children.setdefault(parent, []).append(migration)
    ready = [(migration.path, migration.id) for migration in by_id.values() if not missing[migration.id]]
    heapq.heapify(ready)
    ordered: dict[str, Migration] = {}
    while ready:
        _, id = heapq.heappop(ready)
        ordered[id] = by_id[id]
        for child in children.get(id, ()):
            missing[child.id] -= 1
            if not missing[child.id]:
                heapq.heappush(ready, (child.path, child.id))
    return (*ordered.values(), *_left_over(by_path, ordered))


def _left_over(by_path: Sequence[Migration], ordered: Mapping[str, Migration]) -> list[Migration]:
    return [migration for migration in by_path if ordered.get(migration.id) is not migration]
