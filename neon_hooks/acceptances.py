"""Acceptance comments in migrations: ``neon-hooks: accept RULE-ID because REASON``. Pure.

Reads the comment and the lines that it speaks for; whether there is such a rule, and anything to accept,
is the affair of checks/acceptance.py. No language is parsed but Python, whose statements ``ast`` knows.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from neon_hooks.facts import Accepted
from neon_hooks.sqlscript import split

# How a comment begins, by the ending of the file.
SQL, HASH, SLASHES, MARKUP = r"--|/\*", r"\#", r"//|/\*", r"<!--"
STARTS = {
    **dict.fromkeys((".sql",), SQL),
    **dict.fromkeys((".py", ".rb", ".yml", ".yaml", ".exs"), HASH),
    **dict.fromkeys((".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".java", ".kt", ".go", ".rs", ".cs",
                     ".groovy", ".prisma"), SLASHES),
    ".php": rf"{HASH}|{SLASHES}",
    ".xml": MARKUP,
}  # fmt: skip
WORDS = re.compile(r"(?P<verb>\S+)\s*(?P<rule>\S*)\s*(?P<because>.*)", re.DOTALL)
BECAUSE = re.compile(r"because\b\s*(?P<reason>.*)", re.IGNORECASE | re.DOTALL)
STRING = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`(?:[^`\\]|\\.)*`")
VERBS = ("accept", "accept-file")
FORM = "neon-hooks: accept RULE-ID because REASON"
LONGEST = 300  # lines of one operation that no parser reads

Range = tuple[int, int]
NOTHING: Range = (-1, -1)


def read(path: str, text: str) -> tuple[Accepted, ...]:
    """Every acceptance comment of one file, also those that are wrong."""
    starts = STARTS.get("." + path.rpartition(".")[2])
    if not starts or "neon-hooks:" not in text:
        return ()
    comment = re.compile(rf"(?P<start>{starts})[ \t]*neon-hooks:[ \t]*(?P<words>[^\n]*?)(?:\*/|-->|\r?$)", re.MULTILINE)
    lines = text.split("\n")
    only_comment = re.compile(rf"\s*(?:{starts}|\*)")
    return tuple(_accepted(path, text, lines, match, only_comment) for match in comment.finditer(text))


def _accepted(
    path: str, text: str, lines: Sequence[str], match: re.Match[str], comment: re.Pattern[str]
) -> Accepted:
    line = text.count("\n", 0, match.start()) + 1
    words = WORDS.match(match["words"].strip())
    if not words or words["verb"] not in VERBS:
        said = words["verb"] if words else "nothing"
        return Accepted(path, line, "", "", problem=f"this comment says {said!r} and not `accept` or `accept-file`")
    because = BECAUSE.match(words["because"])
    reason = because["reason"].strip() if because else ""
    problem = "" if reason else "no reason is given"
    if not words["rule"]:
        problem = "no rule is named"
    if words["verb"] == "accept-file":
        return Accepted(path, line, words["rule"], reason, problem=problem)
    first, last = _spoken_for(path, text, lines, line, comment)
    return Accepted(path, line, words["rule"], reason, first, last, problem)


def _spoken_for(
    path: str, text: str, lines: Sequence[str], line: int, comment: re.Pattern[str]
) -> Range:
    """The lines of the statement that the comment stands in, or of the one that follows it at once."""
    known = list(_statements(path, text))
    alone = comment.match(lines[line - 1]) is not None
    around = [each for each in known if each[0] <= line <= each[1]]
    if around and not (alone and path.endswith(".py")):  # in Python a list of operations may be around it
        return max(around, key=lambda each: (each[0], -each[1]))  # the innermost
    below = line
    if alone:
        below = next((n for n in range(line + 1, len(lines) + 1) if not comment.match(lines[n - 1])), 0)
    if not below or not lines[below - 1].strip():
        return NOTHING
    from_there = [each for each in known if each[0] == below]
    if from_there:
        return max(from_there, key=lambda each: each[1])
    return NOTHING if path.endswith(".sql") else (below, _end(lines, below))


def _statements(path: str, text: str) -> Iterator[Range]:
    if path.endswith(".sql"):
        yield from ((part.line, part.last) for part in split(text) if part.kind == "sql")
    elif path.endswith(".py"):
        try:
            module = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return
        simple = (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return, ast.With, ast.For)
        for node in ast.walk(module):
            # Django's operations are the elements of a list: calls, and no statements.
            if isinstance(node, (*simple, ast.Call)):
                yield node.lineno, node.end_lineno or node.lineno


def _end(lines: Sequence[str], first: int) -> int:
    """The line on which the brackets are closed that ``first`` opens; in markup the same line."""
    depth = 0
    for number in range(first, min(len(lines), first + LONGEST) + 1):
        code = STRING.sub("", lines[number - 1])
        depth += sum(code.count(c) for c in "([{") - sum(code.count(c) for c in ")]}")
        if depth <= 0:
            return number
    return first
