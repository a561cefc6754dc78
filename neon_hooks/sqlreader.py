"""One statement read by its tokens, from left to right: keywords, names, lists in parentheses. Pure.

It follows tokens and not the grammar: whoever reads with it knows how the statement goes on, and leaves alone what
goes on in another way. What stands in quotes is never taken for a keyword.
"""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.sqlscript import spans

LONGEST_NAME = 63  # bytes; the server cuts off the rest (NAMEDATALEN)
LOWER = {ord(upper): ord(upper.lower()) for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


class Reader:
    """``at`` counts tokens. Spaces and comments are none."""

    def __init__(self, statement: str) -> None:
        self.statement = statement
        self.tokens = list(spans(statement))
        self.at = 0

    def word(self) -> str:
        """The next token if it is a keyword or a name without quotes, in lower case; else ""."""
        kind, text = self._token(self.at)
        return folded(text) if kind == "word" else ""

    def takes(self, words: str) -> bool:
        """Whether these words come next; if so, they are passed."""
        start = self.at
        for word in words.split():
            if self.word() != word:
                self.at = start
                return False
            self.at += 1
        return True

    def mark(self, text: str) -> bool:
        """The same for a token that is no word."""
        found = self._token(self.at)[1] == text
        self.at += found
        return found

    def part(self) -> str:
        """A name, "" where there is none. U&"..." is none that we read."""
        kind, text = self._token(self.at)
        name = identifier(kind, text)
        self.at += bool(name)
        return "" if self.mark("&") else name.encode()[:LONGEST_NAME].decode(errors="ignore")

    def name(self) -> tuple[str, str]:
        """Schema ("" if there is none) and name; a database before them can only be this one."""
        parts = [self.part()]
        while self.mark("."):
            parts.append(self.part())
        return (parts[-2] if len(parts) > 1 else "", parts[-1]) if all(parts) else ("", "")

    def names(self) -> Iterator[tuple[str, str]]:
        """A list with commas, each name with what TRUNCATE lets stand around it."""
        while True:
            self.takes("only")
            schema, name = self.name()
            if name:
                yield schema, name
            self.mark("*")
            if not self.mark(","):
                return

    def group(self) -> str:
        """What comes next in parentheses, with them; "" where nothing does."""
        start, depth = self.at, 0
        while self.at < len(self.tokens):
            kind, _ = self._token(self.at)
            depth += (kind == "open") - (kind == "close")
            if not depth and self.at == start:
                return ""
            self.at += 1
            if not depth:
                return self.statement[self.tokens[start][2] : self._end(self.at - 1)]
        return ""

    def next_action(self) -> bool:
        """Go behind the next comma that is not in parentheses."""
        depth = 0
        while self.at < len(self.tokens):
            kind, text = self._token(self.at)
            self.at += 1
            depth += (kind == "open") - (kind == "close")
            if text == "," and not depth:
                return True
        return False

    @property
    def ended(self) -> bool:
        return self.at >= len(self.tokens)

    @property
    def rest(self) -> str:
        """The text from here on."""
        return "" if self.ended else self.statement[self.tokens[self.at][2] :].rstrip()

    def ends_with(self, words: str) -> bool:
        """Whether these are the last words of the statement."""
        wanted = words.split()
        last = self.tokens[-len(wanted) :]
        return [folded(text) for kind, text, _ in last if kind == "word"] == wanted

    def identifiers(self) -> frozenset[str]:
        """Everything in the statement that is a name or could be one; strings are left out."""
        return frozenset(name for kind, text, _ in self.tokens if (name := identifier(kind, text)))

    def _token(self, at: int) -> tuple[str, str]:
        return self.tokens[at][:2] if at < len(self.tokens) else ("", "")

    def _end(self, at: int) -> int:
        return self.tokens[at][2] + len(self.tokens[at][1])


def parts(name: str) -> tuple[str, ...]:
    """The parts of a name with dots, without quotes."""
    return tuple(part for kind, text, _ in spans(name) if (part := identifier(kind, text)))


def items(text: str) -> list[str]:
    """What stands between the commas of a list, as it is written."""
    reader = Reader(text)
    found, start = [], 0
    while reader.next_action():
        comma = reader.tokens[reader.at - 1][2]
        found.append(text[start:comma].strip())
        start = comma + 1
    return [*found, text[start:].strip()] if text.strip() else []


def home(name: str) -> str:
    """What stands before the last dot, as it is written: the table of a column. A dot may stand inside of quotes."""
    *_, (_, _, start) = spans(name)
    return name[:start].rstrip(".")


def last(name: str) -> str:
    """What stands behind the last dot, as it is written."""
    *_, (_, text, _) = spans(name)
    return text


def identifier(kind: str, text: str) -> str:
    """The name that a token stands for, as the catalogue has it; "" for what is none."""
    if kind == "quoted" and text.startswith('"') and text.endswith('"'):
        return text[1:-1].replace('""', '"')
    return folded(text) if kind == "word" else ""


def folded(word: str) -> str:
    """As the server folds names: ASCII alone."""
    return word.translate(LOWER)
