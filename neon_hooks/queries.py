"""Queries of an application as texts: found in files, with placeholders that Postgres knows, without literals. Pure.

No SQL is understood here: only words, literals and placeholders are told apart. Whether a text is a query that a
database can answer, the database says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from neon_hooks.errors import UsageError
from neon_hooks.sqlscript import TOKEN, Part, split, tokens
from neon_hooks.tree import Tree

PRODUCTION = "pg_stat_statements"  # as a source
# Statements that the server analyses when they are prepared; it takes all others unread (manual, PREPARE).
ANALYSED = frozenset("SELECT INSERT UPDATE DELETE MERGE VALUES WITH TABLE DECLARE CALL".split())
# What a driver or an ORM asks of its own accord, about the server or the schema.
ABOUT_THE_SERVER = re.compile(
    r"\bpg_(?:catalog|advisory|attr|available|backend|class|constr|database|desc|enum|extens|get|index|inherits|is|lang|locks"
    r"|namespace|proc|range|roles|settings|stat|table|trigger|try|type|user|view)|\binformation_schema\b|\bversion\s*\(",
    re.IGNORECASE,
)
# Types that may stand in front of a literal, and not of a parameter (manual, 4.1.2.7).
BEFORE_A_LITERAL = re.compile(r"\b(interval|date|timetz?|timestamp(?:tz)?|jsonb?|uuid)\s+(\$\d+)", re.IGNORECASE)
WITH_A_SIZE = frozenset(
    "varchar char character varying numeric decimal dec bit timestamp timestamptz time timetz interval float".split()
)
NUMBERED = re.compile(r"\$\d+")
SAYS_NOTHING = ("0", "1")
VALUE = re.compile(rf"{NUMBERED.pattern}|\b(?:{'|'.join(SAYS_NOTHING)})\b")
PART = re.compile(r"""\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|[^\W\d][\w$]*""")
NAME = re.compile(rf"(?:{PART.pattern})(?:\s*\.\s*(?:{PART.pattern}))*")
SQLC_ARGUMENT = re.compile(r"\bsqlc\s*\.\s*(?:arg|narg|slice)\s*\(\s*'?(\w+)'?\s*\)")
SQLC_EMBED = re.compile(r"\bsqlc\s*\.\s*embed\s*\(\s*([\w.]+)\s*\)")
LIST = re.compile(r"\(\s*\$(?:\s*,\s*\$)*\s*\)(?:\s*,\s*\(\s*\$(?:\s*,\s*\$)*\s*\))*")
AFTER_A_LIST_OF_PLACES = frozenset("limit offset having where order union except intersect for window returning".split())


@dataclass(frozen=True)
class Query:
    """``source`` is the file, with the ``line`` where the query begins, or PRODUCTION, with its ``calls``.

    ``at_base``: only the main line's file has it, so the push does away with it; what is deployed has it still.
    """

    sql: str
    source: str
    line: int = 0
    calls: int = 0
    at_base: bool = False


@dataclass(frozen=True)
class Known:
    """``skipped`` counts statements that are none of the queries that can be prepared."""

    queries: tuple[Query, ...] = ()
    skipped: int = 0

    def with_more(self, others: Iterable[Query], skipped: int = 0) -> Known:
        """Of two with the same text the first one stays."""
        found = {query.sql: query for query in self.queries}
        for query in others:
            found.setdefault(query.sql, query)
        return Known(tuple(found.values()), self.skipped + skipped)


def known(paths: Sequence[str], target: Tree, base: Tree | None) -> Known:
    """What the setting ``[trials] queries`` names: in the pushed commit, and what only the main line has there.

    Raises UsageError for a path where there is nothing.
    """
    found = Known()
    for path in paths:
        files = _files(path, target)
        if not files and not (base and _files(path, base)):
            raise UsageError(
                f"[trials] queries: there is no SQL file {path!r} in the pushed commit",
                fix="correct the path, or commit the file: `neon-hooks record` can write it",
            )
        for tree in filter(None, (target, base)):
            for file in _files(path, tree):
                parts = list(split(tree.text(file)))
                queries = [Query(p.text, file, p.line, at_base=tree is base) for p in parts if is_query(p)]
                found = found.with_more(queries, len(parts) - len(queries) if tree is target else 0)
    return found


def _files(path: str, tree: Tree) -> list[str]:
    return [path] if path in tree else [file for file in tree.below(path) if file.endswith(".sql")] if path else []


def is_query(part: Part) -> bool:
    """Whether the server looks up its tables and columns when it is prepared."""
    if part.kind != "sql":
        return False
    word = next((text for kind, text in tokens(part.text) if kind != "open"), "")
    return word.upper() in ANALYSED


def is_about_the_server(sql: str) -> bool:
    return ABOUT_THE_SERVER.search(sql) is not None


def name_at(sql: str, position: int) -> str:
    """The identifier, or the literal, that stands at ``position`` (from 1), without its quotes; "" where none does."""
    found = NAME.match(sql, position - 1) if position > 0 else None
    return ".".join(_unquoted(part) for part in PART.findall(found[0])) if found else ""


def _unquoted(part: str) -> str:
    return part[1:-1].replace(part[0] * 2, part[0]) if part[0] in "\"'" else part


def translated(sql: str) -> str:
    """With ``$1`` in the place of ``:name``, ``@name``, ``%s``, ``%(name)s``, ``?`` and ``sqlc.arg(name)``, the columns
    that ``sqlc.embed(t)`` stands for, and ``CAST($1 AS interval)`` for ``interval $1``, which a normalised text has
    and no parser takes.

    Several readings are possible (``?`` and ``@`` are operators, too): meant for what does not work as it stands.
    """
    if "sqlc" in sql:
        sql = SQLC_EMBED.sub(r"\1.*", SQLC_ARGUMENT.sub(r"@\1", sql))
    return BEFORE_A_LITERAL.sub(r"CAST(\2 AS \1)", "".join(_translate(list(_pieces(sql)))))


def with_type(sql: str, message: str) -> str:
    """With the parameter that the server's ``message`` names ("$2") as a text, wherever it occurs and has no type."""
    found = NUMBERED.search(message)
    return re.sub(rf"{re.escape(found[0])}(?!\d|::)", f"{found[0]}::text", sql) if found else sql


def _translate(pieces: Sequence[tuple[str, str]]) -> Iterator[str]:
    numbers: dict[str, int] = {}
    brackets: list[str] = []
    texts = [text for _, text in pieces]
    percent = any(text == "%" and _percent(texts, at) for at, text in enumerate(texts))
    first, at = _free(texts), 0

    def number(name: str) -> str:
        """One for each name; without a name always a new one."""
        return f"${numbers.setdefault(name or f'?{len(numbers)}', first + len(numbers))}"

    while at < len(pieces):
        kind, text = pieces[at]
        following = texts[at + 1] if at + 1 < len(texts) else ""
        if kind == "open":
            brackets.append(text)
        elif kind == "close":
            del brackets[-1:]
        taken, made = 1, text
        if text == ":" and following == ":":
            taken, made = 2, "::"
        elif text in (":", "@") and _is_name(pieces, at + 1) and brackets[-1:] != ["["]:
            taken, made = 2, number(following)
        elif text == "%" and (name := _percent(texts, at)):
            taken, made = (2, number("")) if name == "s" else (5, number(name))
        elif text == "%" and percent and following == "%":
            taken, made = 2, "%"
        elif text == "?":  # written twice it is the operator, for JDBC
            taken, made = (2, "?") if following == "?" else (1, number(""))
        yield made
        at += taken


def _is_name(pieces: Sequence[tuple[str, str]], at: int) -> bool:
    return at < len(pieces) and pieces[at][0] == "word"


def _free(texts: Iterable[str]) -> int:
    """The first number that no parameter has."""
    return 1 + max((int(text[1:]) for text in texts if NUMBERED.fullmatch(text)), default=0)


def _percent(texts: Sequence[str], at: int) -> str:
    """ "s" for %s, the name for %(name)s, "" for anything else."""
    if texts[at + 1 : at + 2] == ["s"]:
        return "s"
    inside = texts[at + 1 : at + 5]
    return inside[1] if len(inside) == 4 and (inside[0], *inside[2:]) == ("(", ")", "s") else ""


def _pieces(sql: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of everything, spaces and comments too: joined, they are the text again."""
    at = 0
    while at < len(sql):
        match = TOKEN.match(sql, at)
        assert match is not None and match.lastgroup is not None  # `other` takes any character
        kind, end = match.lastgroup, match.end()
        if kind in ("dollar", "block"):
            closing = sql.find(match.group() if kind == "dollar" else "*/", end)
            end = len(sql) if closing < 0 else closing + (len(match.group()) if kind == "dollar" else 2)
        yield kind, sql[at:end]
        at = end


def without_literals(sql: str) -> str:
    """With ``$1`` in the place of every text and number that can be a parameter, and without comments.

    Numbers stay where they are places in a list (ORDER BY 1) or sizes (varchar(20)): no parameter can stand there. So do
    0 and 1, which often say the type of what is counted from them. What GROUP BY repeats has to be the same parameter
    (42803, grouping_error).
    """
    pieces = [(kind, " " if kind in ("space", "comment", "block") else text) for kind, text in _pieces(sql)]
    free, made = _free(text for _, text in pieces), list[str]()
    grouped = re.search(r"\bgroup\s+by\b", sql, re.IGNORECASE) is not None
    numbers: dict[str, int] = {}
    words: list[str] = []  # those that are no spaces, small
    depth, places, sizes = 0, -1, -1  # how many brackets are open, and from which depth on numbers stay
    for kind, text in pieces:
        word = text.lower()
        if kind == "open":
            depth += 1
            sizes = depth if sizes < 0 and words[-1:] and words[-1] in WITH_A_SIZE else sizes
        elif kind == "close":
            depth -= 1
            sizes = -1 if depth < sizes else sizes
            places = -1 if depth < places else places
        elif kind == "word" and word == "by":
            places = depth
        elif kind == "word" and word in AFTER_A_LIST_OF_PLACES and depth <= places:
            places = -1
        is_text = (kind == "quoted" and not text.startswith('"')) or kind == "dollar"
        is_number = kind == "other" and text[:1].isdigit()
        is_place = places == depth and words[-1:] in (["by"], [","])
        stays = is_number and (text in SAYS_NOTHING or sizes >= 0 or is_place)
        if (is_text or is_number) and not stays:
            text = f"${numbers.setdefault(text if grouped else f'{len(numbers)}', free + len(numbers))}"
        made.append(text)
        if kind != "space" and text != " ":
            words.append(word)
    return " ".join("".join(made).split())


def distinct(queries: Iterable[str]) -> list[str]:
    """One of each: those that differ only in the length of a list of parameters are the same."""
    found: dict[str, str] = {}
    for query in queries:
        shape = LIST.sub("($)", VALUE.sub("$", query))
        if shape not in found or len(query) < len(found[shape]):
            found[shape] = query
    return sorted(found.values())
