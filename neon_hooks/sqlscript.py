"""Taking an SQL file apart as psql would: statements, their lines, COPY data, psql's own commands.

Pure text in, statements out; executing them is execute.py's affair. Follows psql's scanner, not the
server's grammar: what a statement means does not matter, only where it ends (manual, section 4.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

# Any letter of any language, or _: said by what is none, since a range up to U+10FFFF takes long to compile.
LETTER = r"[^\x00-@\[-\^`{-\x7f]"
TOKEN = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<quoted>[eE]'(?:[^'\\]|\\.|'')*'?          # backslash escapes only in E'' strings
                |'[^']*(?:''[^']*)*'?
                |"[^"]*(?:""[^"]*)*"?)
    | (?P<dollar>\$(?:{LETTER}[\w]*)?\$)
    | (?P<word>{LETTER}[\w$]*)
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<end>;)
    | (?P<meta>\\[^\n]*)
    | (?P<other>\$?\d[\w.]*|.)
    """,
    re.VERBOSE | re.DOTALL,
)
BLOCK_EDGE = re.compile(r"/\*|\*/")
COPY_FROM_STDIN = re.compile(r"copy\s.*\bfrom\s+(?:stdin|'stdin')\b", re.IGNORECASE | re.DOTALL)
ROUTINE_START = re.compile(r"create( or replace)? (function|procedure)\b")


@dataclass(frozen=True)
class Part:
    """One statement (``kind`` "sql", with the COPY data that follows it) or one psql command ("meta").

    ``line`` counts from 1 and is where the first word stands, after comments; ``start`` is its place in the
    text (without a byte order mark).
    """

    kind: str
    text: str
    line: int
    copy_data: str | None = None
    start: int = field(default=0, compare=False)

    @property
    def last(self) -> int:
        """The line on which it ends."""
        return self.line + self.text.count("\n")


class _Scanner:
    """The state of psql's scanner between two statements."""

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix("\ufeff")  # psql skips a byte order mark, too
        self.at = 0
        self.line = 1
        self.line_at = 0

    def line_of(self, position: int) -> int:
        """The line of ``position``; asked for in ascending order, so each character is counted once."""
        self.line += self.text.count("\n", self.line_at, position)
        self.line_at = position
        return self.line

    def skip_block(self, position: int) -> int:
        """The end of the (nested) comment that begins at ``position``."""
        depth = 0
        for edge in BLOCK_EDGE.finditer(self.text, position):
            depth += 1 if edge.group() == "/*" else -1
            if not depth:
                return edge.end()
        return len(self.text)

    def skip_dollar(self, tag: str, position: int) -> int:
        """The end of the dollar-quoted text whose ``tag`` ends at ``position``."""
        end = self.text.find(tag, position)
        return len(self.text) if end < 0 else end + len(tag)

    def take_copy_data(self) -> str:
        """The lines after a COPY FROM STDIN, up to the one that is ``\\.``"""
        start = self.text.find("\n", self.at) + 1 or len(self.text)
        end = re.compile(r"^\\\.\r?$\n?", re.MULTILINE).search(self.text, start)
        self.at = end.end() if end else len(self.text)
        return self.text[start : end.start() if end else len(self.text)]


def split(text: str) -> Iterator[Part]:
    """The parts of an SQL file, in order. What follows the last semicolon is a statement as well."""
    scanner = _Scanner(text)
    while True:
        part = _next_statement(scanner)
        if part is None:
            return
        if part.kind == "sql" and COPY_FROM_STDIN.match(part.text):
            part = replace(part, copy_data=scanner.take_copy_data())
        yield part


def spans(statement: str) -> Iterator[tuple[str, str, int]]:
    """(kind, text, start) of each token that is no space or comment; kinds are TOKEN's, and what stands between
    dollar signs is one token.
    """
    scanner = _Scanner(statement)
    while scanner.at < len(scanner.text):
        match = TOKEN.match(scanner.text, scanner.at)
        assert match is not None and match.lastgroup is not None  # `other` takes any character
        scanner.at = match.end()
        if match.lastgroup == "block":
            scanner.at = scanner.skip_block(match.start())
        elif match.lastgroup == "dollar":
            scanner.at = scanner.skip_dollar(match.group(), match.end())
            yield "dollar", scanner.text[match.start() : scanner.at], match.start()
        elif match.lastgroup not in ("space", "comment"):
            yield match.lastgroup, match.group(), match.start()


def tokens(statement: str) -> Iterator[tuple[str, str]]:
    """The same without their places."""
    return ((kind, text) for kind, text, _ in spans(statement))


def _next_statement(scanner: _Scanner) -> Part | None:
    text = scanner.text
    start = last = -1  # of the first and after the last thing that is no space or comment
    parentheses = depth = 0
    words: list[str] = []
    while scanner.at < len(text):
        match = TOKEN.match(text, scanner.at)
        assert match is not None  # `other` takes any character
        kind = match.lastgroup
        scanner.at = match.end()
        if kind in ("space", "comment"):
            continue
        if kind == "block":
            scanner.at = scanner.skip_block(match.start())
            continue
        if kind == "end" and parentheses <= 0 and depth <= 0:
            if start < 0:
                continue  # an empty statement
            return Part("sql", text[start:last], scanner.line_of(start), start=start)
        if kind == "meta" and start < 0:
            at = match.start()
            return Part("meta", match.group().rstrip(), scanner.line_of(at), start=at)
        if kind == "dollar":
            scanner.at = scanner.skip_dollar(match.group(), match.end())
        elif kind == "open":
            parentheses += 1
        elif kind == "close":
            parentheses -= 1
        elif kind == "word":
            if len(words) < 4:
                words.append(match.group().lower())
            depth += _routine_step(words, match.group().lower(), depth)
        start = match.start() if start < 0 else start
        last = scanner.at
    return Part("sql", text[start:last], scanner.line_of(start), start=start) if start >= 0 else None


def _routine_step(words: list[str], word: str, depth: int) -> int:
    """How ``word`` nests inside the body of a routine that is written as BEGIN ATOMIC ... END.

    As in psql: BEGIN counts only in CREATE FUNCTION or PROCEDURE, CASE only inside such a body.
    """
    if not ROUTINE_START.match(" ".join(words)):
        return 0
    if word == "begin" or (word == "case" and depth):
        return 1
    return -1 if word == "end" and depth else 0
