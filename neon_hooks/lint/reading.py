"""Whole SQL texts, read statement by statement: what squawk says of each, also beside one that it cannot read.

Of a text with a syntax error squawk says nothing else, and what psql does itself (backslash commands, COPY
data) is one to it. So such parts become blanks, which moves nothing, and the rest is read again.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from neon_hooks.lint import names, squawk
from neon_hooks.lint.squawk import Options, Said
from neon_hooks.sqlscript import Part, split

SYNTAX_ERROR = "syntax-error"
ROUNDS = 20  # statements of one text that squawk may fail to read
# What a tool fills in before Postgres sees it: psql's and Flyway's variables, a driver's parameters, templates.
FILLED_IN = re.compile(r"(?<![:\w]):['\"]?[A-Za-z_]|\$\{|%(?:s|\()|\{\{|\$\d")


@dataclass(frozen=True)
class Source:
    """``in_transaction``: it runs inside one. ``new_tables`` were created by what runs before it."""

    text: str
    in_transaction: bool = False
    new_tables: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Hit:
    """What squawk says of one statement. ``line`` counts from 1; ``statement`` is where it stands.

    ``new_table``: the statement changes a table that was created before it, in the same source or earlier.
    """

    rule: str
    line: int
    message: str
    help: str
    statement: Part
    new_table: bool = False


@dataclass
class _Text:
    """One source while it is being read."""

    source: Source
    text: str
    parts: Sequence[Part]
    starts: Sequence[int]
    said: tuple[Said, ...] = ()
    errors: list[Said] = field(default_factory=list)


def read(sources: Sequence[Source], options: Options) -> list[tuple[Hit, ...]]:
    """The hits in each source, in the order of its lines."""
    texts = [_prepared(source) for source in sources]
    for in_transaction in (True, False):
        waiting = [text for text in texts if text.source.in_transaction == in_transaction and text.parts]
        for _ in range(ROUNDS):
            said = squawk.lint([each.text for each in waiting], in_transaction=in_transaction, options=options)
            for text, found in zip(waiting, said, strict=True):
                text.said = found
            waiting = [text for text in waiting if _without_unreadable(text)]
            if not waiting:
                break
    return [_hits(text) for text in texts]


def tables_created(source: Source) -> frozenset[str]:
    """The tables that are new after ``source`` has run."""
    parts = split(source.text)
    return source.new_tables.union(*(names.created(part.text) for part in parts if part.kind == "sql"))


def _prepared(source: Source) -> _Text:
    text = source.text.removeprefix("\ufeff")
    parts = list(split(text))
    blanks = [(part.start, part.start + len(part.text)) for part in parts if part.kind == "meta"]
    for part in parts:
        if part.copy_data is not None:
            data = text.find(part.copy_data, part.start + len(part.text)) + len(part.copy_data)
            blanks.append((part.start, text.find("\n", data) if "\n" in text[data:] else len(text)))
    statements = [part for part in parts if part.kind == "sql"]
    return _Text(source, _blanked(text, blanks), statements, [part.start for part in statements])


def _blanked(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    for begin, end in ranges:
        text = text[:begin] + re.sub(r"[^\r\n]", " ", text[begin:end]) + text[end:]
    return text


def _without_unreadable(text: _Text) -> bool:
    """Blank the statements with a syntax error; returns whether there were any that can be blanked."""
    errors = [said for said in text.said if said.rule == SYNTAX_ERROR]
    if not errors:
        return False
    first = {_index(text, said.at): said for said in reversed(errors)}
    # After an error that squawk finds early it understands the next statements no more: one at a time.
    number = min(first)
    text.errors.append(first[number])
    part = text.parts[number]
    before = text.text
    text.text = _blanked(before, [(part.start, part.start + len(part.text) + 1)])
    return text.text != before


def _index(text: _Text, at: int) -> int:
    """The statement at a place; between two it is the earlier one, whose end squawk did not see."""
    return max(0, bisect_right(text.starts, at) - 1)


def _hits(text: _Text) -> tuple[Hit, ...]:
    said = [each for each in text.said if each.rule != SYNTAX_ERROR] + text.errors
    new = set(text.source.new_tables)
    new_before: list[frozenset[str]] = []
    for part in text.parts:
        new_before.append(frozenset(new))
        new |= names.created(part.text)
    hits = []
    line, counted = 1, 0
    for each in sorted(said, key=lambda each: each.at):
        number = _index(text, each.at)
        part = text.parts[number]
        line += text.text.count("\n", counted, each.at)
        counted = each.at
        if each.rule == SYNTAX_ERROR and FILLED_IN.search(part.text):
            continue
        changes_new = names.changed(part.text) in new_before[number]
        hits.append(Hit(each.rule, line, each.message, each.help, part, changes_new))
    return tuple(hits)
