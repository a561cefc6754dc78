"""``make exam-schema``: every pair, both candidates, a table and the shares.

    python -m tests.exam [PATTERN...] [--pairs DIRECTORY] [--role NAME] [--only generate|migra]
        [--postgres-version N] [--again] [--details]

PATTERN chooses pairs by name (``columns/*``). DIRECTORY holds other pairs, of which nothing is kept here:
migra's own fixtures, say. The target is 95 % identical of what a migration can do, and everything else
refused by name. Exits 1 below it, and where a pair does not load.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from queue import SimpleQueue

from tests.exam.candidates import Candidate, Generate, Migra
from tests.exam.judge import HONEST, RIGHT, Judgement, Verdict, judge
from tests.exam.pairs import CORPUS, Pair, corpus
from tests.exam.postgres import Server, Unloadable

WORKERS = 2
TARGET = 0.95


@dataclass(frozen=True)
class Room:
    """What a worker has to itself."""

    server: Server
    candidates: tuple[Candidate, ...]
    again: bool


@dataclass(frozen=True)
class Examined:
    """``judgements`` by the candidate's name; none where the server lacks something or the pair is broken."""

    pair: Pair
    judgements: dict[str, Judgement]
    lacks: str = ""
    broken: str = ""


def examine(pair: Pair, room: Room) -> Examined:
    lacking = sorted(set(pair.extensions) - room.server.extensions)
    if pair.version > room.server.major or lacking:
        return Examined(pair, {}, ', '.join(lacking) or f"Postgres {pair.version}")
    try:
        wanted = room.server.database(pair.after)
    except Unloadable as error:
        return Examined(pair, {}, broken=f"the desired schema: {error}")
    try:
        judged = [judge(pair, each, room.server, wanted, again=room.again) for each in room.candidates]
        names = [each.name for each in room.candidates]
        return Examined(pair, dict(zip(names, judged, strict=True)))
    except Unloadable as error:
        return Examined(pair, {}, broken=str(error))
    finally:
        room.server.drop(wanted)


def examine_all(pairs: Sequence[Pair], rooms: Sequence[Room]) -> list[Examined]:
    """One pair per room at a time."""
    free: SimpleQueue[Room] = SimpleQueue()
    for room in rooms:
        free.put(room)

    def one(pair: Pair) -> Examined:
        room = free.get()
        try:
            examined = examine(pair, room)
        finally:
            free.put(room)
        verdicts = [judgement.verdict.value for judgement in examined.judgements.values()]
        print(pair.name, *verdicts, sep=" | ", file=sys.stderr, flush=True)
        return examined

    with ThreadPoolExecutor(len(rooms)) as pool:
        return list(pool.map(one, pairs))


def share(verdicts: Iterable[Verdict], counted: Sequence[Verdict]) -> float:
    every = list(verdicts)
    return sum(verdict in counted for verdict in every) / len(every) if every else 0.0


def by_kind(examined: Sequence[Examined], names: Sequence[str]) -> None:
    """For every directory of the corpus: how many pairs end identical."""
    print(f"{'kind':<16}{'pairs':>6}" + "".join(f"{name:>22}" for name in names))
    for kind in sorted({each.pair.kind for each in examined}):
        of_kind = [each for each in examined if each.pair.kind == kind and each.judgements]
        cells = [sum(each.judgements[name].verdict in RIGHT for each in of_kind) for name in names]
        print(f"{kind or '.':<16}{len(of_kind):>6}" + "".join(f"{cell:>22}" for cell in cells))


def by_verdict(examined: Sequence[Examined], names: Sequence[str]) -> None:
    judged = [each for each in examined if each.judgements]
    counts = {name: Counter(each.judgements[name].verdict for each in judged) for name in names}
    print(f"\n{'verdict':<42}" + "".join(f"{name:>22}" for name in names))
    for verdict in Verdict:
        found = [counts[name][verdict] for name in names]
        cells = [f"{number} ({number / max(len(judged), 1):.0%})" for number in found]
        print(f"{verdict.value:<42}" + "".join(f"{cell:>22}" for cell in cells))


def failures(examined: Sequence[Examined], name: str, details: bool) -> None:
    judged = [each.judgements[name] for each in examined if each.judgements]
    wrong = [judgement for judgement in judged if judgement.verdict not in RIGHT]
    if wrong:
        print(f"\nNot identical, {name}:")
    for judgement in wrong:
        lines = judgement.detail.strip().splitlines()
        reason = f" ({lines[0][:90]})" if lines and not details else ""
        print(f"  {judgement.pair}: {judgement.verdict.value}{reason}")
        if details:
            print("".join(f"      {line}\n" for line in (*lines, *"\n".join(judgement.scripts).splitlines())))


def report(examined: Sequence[Examined], names: Sequence[str], details: bool) -> int:
    by_kind(examined, names)
    by_verdict(examined, names)
    for name in names:
        failures(examined, name, details)
    for each in examined:
        if each.lacks:
            print(f"\nnot examined: {each.pair.name} needs {each.lacks}")
        if each.broken:
            print(f"\nnot examined: {each.pair.name} does not load: {each.broken.splitlines()[0]}")
    print()
    met = [shares(examined, name) for name in names]
    return 0 if all(met) and not any(each.broken for each in examined) else 1


def shares(examined: Sequence[Examined], name: str) -> bool:
    """Whether the target is met; plain migra has none."""
    verdicts = {each.pair: each.judgements[name].verdict for each in examined if each.judgements}
    reachable = [verdict for pair, verdict in verdicts.items() if pair.reachable]
    others = [verdict for pair, verdict in verdicts.items() if not pair.reachable]
    identical, honest = share(reachable, RIGHT), share(verdicts.values(), HONEST)
    print(f"{name}: {identical:.1%} of the {len(reachable)} pairs that a migration can do are identical;")
    print(f"  of the {len(others)} others {others.count(Verdict.REFUSED)} are refused by name;")
    silent = list(verdicts.values()).count(Verdict.DIFFERENT)
    print(f"  {honest:.1%} of all are identical or refused by name, {silent} silently different;")
    same = sum(each.judgements[name].same_rows for each in examined if each.judgements)
    changed = list(verdicts.values()).count(Verdict.ROWS)
    print(f"  by checksum the rows of untouched columns are the same in {same} tables with rows; {changed} pairs changed some.")
    return name != Generate.name or (identical >= TARGET and honest == 1)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.exam")
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    parser.add_argument("--pairs", type=Path, default=CORPUS, metavar="DIRECTORY")
    parser.add_argument("--only", choices=("generate", "migra"))
    parser.add_argument("--postgres-version", type=int, default=0, metavar="N")
    parser.add_argument("--role", action="append", default=[], help="a role that the pairs expect to exist")
    parser.add_argument("--again", action="store_true", help="ask once more: nothing is to be written")
    parser.add_argument("--details", action="store_true", help="what differs, and what was written")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    asked = arguments(argv)
    chosen = [
        pair for pair in corpus(asked.pairs)
        if not asked.patterns or any(fnmatch(pair.name, pattern) for pattern in asked.patterns)
    ]  # fmt: skip
    began = time.monotonic()
    with ExitStack() as stack:
        rooms = []
        for _ in range(min(WORKERS, len(chosen)) or 1):
            server = stack.enter_context(Server(asked.postgres_version, tuple(asked.role)))
            candidates: list[Candidate] = []
            if asked.only != "migra":
                candidates.append(Generate())
            if asked.only != "generate":
                candidates.append(stack.enter_context(Migra()))
            rooms.append(Room(server, tuple(candidates), asked.again))
        examined = examine_all(chosen, rooms)
        code = report(examined, [each.name for each in rooms[0].candidates], asked.details)
        print(f"{len(chosen)} pairs on Postgres {rooms[0].server.major} in {time.monotonic() - began:.0f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
