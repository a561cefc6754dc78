"""Which recorded statement is which of those that the driver shim saw: only the shim knows the lines of the
project's code that led to them. Pure.

By text and order. The texts differ where a driver puts in the parameters itself, or where it sends several
statements in one message; and it sends BEGIN and COMMIT of its own, which the shim does not see.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace

from neon_hooks.facts import Statement
from neon_hooks.sqlscript import split

SPACE = re.compile(r"\s+")
PLACEHOLDER = re.compile(r"%s|%\(\w+\)s|\$\d+(?:::\w+)?|\?")
OPENS = re.compile(r"(?:BEGIN|START TRANSACTION)\b", re.IGNORECASE)
CONTROL = re.compile(rf"{OPENS.pattern}|(?:COMMIT|END|ROLLBACK|ABORT)\b", re.IGNORECASE)
NEAR = 20  # statements among which one with its parameters put in is looked for


def with_frames(recorded: Sequence[Statement], shimmed: Iterable[Statement]) -> tuple[Statement, ...]:
    """``recorded`` with the frames, and the path and line, of their counterparts in ``shimmed``."""
    told = [part for statement in shimmed for part in _parts(statement)]
    if not any(statement.frames or statement.line for statement in told):
        return tuple(recorded)
    framed = list(recorded)
    texts = [_plain(statement.sql) for statement in told]
    for number, place in _matched(texts, [_plain(statement.sql) for statement in recorded]).items():
        known = told[number]
        if known.frames or known.line:
            framed[place] = replace(framed[place], frames=known.frames, path=known.path, line=known.line)
    return tuple(framed)


def _parts(statement: Statement) -> Iterator[Statement]:
    """The statements of a text that goes in one message."""
    if ";" not in statement.sql.rstrip("; \n"):
        yield statement
        return
    for part in split(statement.sql):
        yield replace(statement, sql=part.text)


def _plain(sql: str) -> str:
    return PLACEHOLDER.sub("?", SPACE.sub(" ", sql).strip(" ;"))


def _matched(told: Sequence[str], recorded: Sequence[str]) -> dict[int, int]:
    """Places in ``recorded`` by those in ``told``. First what is certain, then what lies between."""
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for place, text in enumerate(recorded):
        places[text].append(place)
    found = {
        number: places[text].popleft()
        for number, text in enumerate(told)
        if places[text] and not CONTROL.match(text)
    }
    taken = set(found.values())
    before = -1
    for number, text in enumerate(told):
        if number not in found and not OPENS.match(text):
            for place in _next(text, before, places[text], recorded, taken):
                found[number] = place
                taken.add(place)
        before = found.get(number, before)
    after = len(recorded)
    for number in range(len(told) - 1, -1, -1):
        if OPENS.match(told[number]):
            # The driver's own BEGIN comes before the project's.
            for place in [p for p in places[told[number]] if p < after and p not in taken][-1:]:
                found[number] = place
                taken.add(place)
        after = found.get(number, after)
    return found


def _next(
    text: str, before: int, same: Iterable[int], recorded: Sequence[str], taken: Container[int]
) -> Iterable[int]:
    """The first COMMIT after ``before``, or the first statement that ``text`` becomes with its parameters; if any."""
    if CONTROL.match(text):
        return [place for place in same if place > before and place not in taken][:1]
    if "?" not in text:
        return ()
    pieces = text.split("?")
    window = range(before + 1, min(before + 1 + NEAR, len(recorded)))
    return [place for place in window if place not in taken and _fits(recorded[place], pieces)][:1]


def _fits(sql: str, pieces: Sequence[str]) -> bool:
    """Whether ``sql`` is the pieces in order, with something in the place of each gap."""
    at = 0
    for piece in pieces:
        place = sql.find(piece, at)
        if place < 0:
            return False
        at = place + len(piece)
    return sql.startswith(pieces[0]) and sql.endswith(pieces[-1])
