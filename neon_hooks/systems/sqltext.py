"""Reading SQL as text: what is code, what is comment. Pure; knows Postgres' lexical rules and no more.

Manual, section 4.1 (sql-syntax-lexical.html): strings, quoted names, dollar quotes, nested comments.
"""

from __future__ import annotations

import re

TOKEN = re.compile(
    r"""(?P<keep>[eE]'(?:[^'\\]|''|\\.)*'        # a string with escapes
        |'(?:[^']|'')*'                          # a string
        |"(?:[^"]|"")*"                          # a quoted name
        |\$(?P<tag>\w*)\$.*?\$(?P=tag)\$         # a dollar-quoted string
        )
      |(?P<line>--[^\n]*)
      |(?P<block>/\*)
      |(?P<space>\s+)
      |(?P<word>\w+|.)""",
    re.VERBOSE | re.DOTALL,
)
EDGE = re.compile(r"/\*|\*/")


def code(text: str) -> str:
    """``text`` without comments, and with one blank for each run of white space outside of quotes."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        assert match, "the pattern's last branch takes any character"
        at = match.end()
        if match.lastgroup == "block":
            at = _end_of_comment(text, at)
        if match["keep"] or match["word"]:
            parts.append(match[0])
        elif parts and parts[-1] != " ":
            parts.append(" ")
    return "".join(parts).strip()


def _end_of_comment(text: str, at: int) -> int:
    depth = 1
    while depth:
        edge = EDGE.search(text, at)
        if not edge:
            return len(text)
        depth += 1 if edge[0] == "/*" else -1
        at = edge.end()
    return at


def same_sql(before: bytes, after: bytes) -> bool:
    """Whether two contents send the same statements."""
    return before == after or code(before.decode("utf-8", "replace")) == code(
        after.decode("utf-8", "replace")
    )
