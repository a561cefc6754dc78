"""One pair, one candidate: what it wrote is applied, and what came of it gets a verdict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tests.exam import dumps, rows
from tests.exam.candidates import Candidate, Written
from tests.exam.dumps import Dump, Entry
from tests.exam.pairs import Pair
from tests.exam.postgres import Database, Server

WORD = re.compile(r"\w+")


class Verdict(Enum):
    """Right are the first two; a refusal is honest; the rest is what may not be."""

    IDENTICAL = "identical"
    ORDER = "identical but for the order of columns"
    REFUSED = "refused by name"
    UNNAMED = "refused, but the object is not named"
    DIFFERENT = "silently different"
    NEEDLESS = "writes though nothing differs"
    AGAIN = "writes once more what is there"
    ROWS = "rows of untouched columns changed"
    RESTARTS = "a sequence starts again"
    UNSAID = "values dropped without a word"
    FAILS = "does not apply"
    CRASHED = "crashed"


RIGHT = (Verdict.IDENTICAL, Verdict.ORDER)
HONEST = (*RIGHT, Verdict.REFUSED)


@dataclass(frozen=True)
class Judgement:
    """``detail``: for a person who wants to know why. ``same_rows``: tables whose rows were compared and are the same."""

    pair: str
    verdict: Verdict
    detail: str = ""
    scripts: tuple[str, ...] = ()
    same_rows: int = 0


def judge(
    pair: Pair, candidate: Candidate, server: Server, wanted: Database, *, again: bool = False
) -> Judgement:
    """``wanted``: a database with the desired schema and nothing else. ``again``: ask once more after."""
    main = server.database(pair.before, pair.data)
    try:
        judgement = _judge(pair, candidate, server, main, wanted)
        if again and judgement.verdict in RIGHT:
            written = candidate.write(pair, server, main, wanted)
            if written.scripts or written.exit_code:
                return Judgement(pair.name, Verdict.AGAIN, written.said, written.scripts)
        return judgement
    finally:
        server.drop(main)


def _judge(pair: Pair, candidate: Candidate, server: Server, main: Database, wanted: Database) -> Judgement:
    had, wants = rows.tables(main), rows.tables(wanted)
    to_keep = rows.kept(had, wants, pair.renames)
    sums = rows.checksums(main, to_keep, afterwards=False)
    going = rows.vanishing(main, had, wants, pair.renames)
    before, desired = dumps.read(main.dump()), dumps.read(wanted.dump())
    counted, colliding = rows.counters(main), rows.collisions(main)

    written = candidate.write(pair, server, main, wanted)
    if written.crashed:
        return Judgement(pair.name, Verdict.CRASHED, written.said, written.scripts)
    if written.refused:
        named = _names_one(written.said, before.minus(desired) + desired.minus(before))
        return Judgement(pair.name, Verdict.REFUSED if named else Verdict.UNNAMED, written.said)
    if written.scripts and before.same_as(desired):
        return Judgement(pair.name, Verdict.NEEDLESS, written.said, written.scripts)
    for number, script in enumerate(written.scripts, 1):
        failure = candidate.apply(script, main).error
        if failure:
            return Judgement(pair.name, Verdict.FAILS, f"file {number}: {failure}", written.scripts)
    verdict, detail = _compared(dumps.read(main.dump()), desired)
    now = rows.checksums(main, to_keep, afterwards=True)
    changed = [table for table in now if now[table] != sums[table]]
    unsaid = [name for name in going if not _says(written, name) and name.replace('"', "") not in pair.dropped]
    counts = rows.counters(main)
    again = [name for name in counted if counts.get(name, counted[name]) < counted[name]]
    again += sorted(rows.collisions(main) - colliding)
    if again and verdict in RIGHT:
        verdict, detail = Verdict.RESTARTS, ", ".join(again)
    if changed:
        verdict, detail = Verdict.ROWS, f"{', '.join(changed)}\n{detail}"
    elif verdict in RIGHT and unsaid:
        verdict, detail = Verdict.UNSAID, ", ".join(unsaid)
    same = len([table for table in now if now[table] == sums[table] and not rows.is_empty(sums[table])])
    return Judgement(pair.name, verdict, detail, written.scripts, same)


def _compared(found: Dump, desired: Dump) -> tuple[Verdict, str]:
    if found.same_as(desired):
        return Verdict.IDENTICAL, ""
    if found.unordered.same_as(desired.unordered):
        return Verdict.ORDER, ""
    return Verdict.DIFFERENT, dumps.differences(found.unordered, desired.unordered)


def _says(written: Written, name: str) -> bool:
    """Whether the developer is told, by the command or by a comment in a file; the statement alone is no word."""
    comments = [line for script in written.scripts for line in script.splitlines() if line.startswith("--")]
    return name.rpartition(".")[2].strip('"') in "\n".join((written.said, *comments))


def _names_one(said: str, differing: Sequence[Entry]) -> bool:
    words = set(WORD.findall(said))
    return any(words.issuperset(WORD.findall(entry.name.split()[-1])) for entry in differing)
