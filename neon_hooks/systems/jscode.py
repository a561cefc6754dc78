"""Reading JavaScript and TypeScript as text: which literals a configuration has under a key. Pure.

No parser: configurations are read by people too, and are plain. What is computed stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neon_hooks.tree import Tree, join, parent

SUFFIXES = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts")
STRING = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"""
TOKEN = re.compile(rf"(?P<string>{STRING})|(?P<comment>//[^\n]*|/\*.*?\*/)", re.DOTALL)
PIECE = re.compile(rf"(?P<string>{STRING})|(?P<open>[\[({{])|(?P<close>[\])}}])|(?P<end>[,;])", re.DOTALL)
# Where a file lies, in the ways in which Node says it.
HERE = re.compile(r"\$\{\s*__dirname\s*\}|__dirname|import\.meta\.(?:dirname|url)")
LITERAL = re.compile(STRING, re.DOTALL)
# A function called ``up``, in each of the ways in which a module can give it away.
EXPORTS_UP = re.compile(r"\bexports\.up\b|\bexport\b[^;\n]*\bup\b|module\.exports\s*=\s*\{[^}]*\bup\b")


def files_in(tree: Tree, directory: str) -> list[str]:
    """The scripts that lie directly in ``directory``, without TypeScript's declarations."""
    return [
        path
        for path in tree.below(directory)
        if parent(path) == directory and path.endswith(SUFFIXES) and not path.endswith(".d.ts")
    ]


def code(text: str) -> str:
    """``text`` without comments."""
    return TOKEN.sub(lambda match: match["string"] or " ", text)


def same_js(before: bytes, after: bytes) -> bool:
    """Whether two contents are the same but for comments and the width of white space."""
    return before == after or _shape(before) == _shape(after)


def _shape(content: bytes) -> list[str]:
    # A template literal keeps its white space: it may be the text of a row.
    text = code(content.decode("utf-8", "replace"))
    parts = re.split(rf"({STRING})", text, flags=re.DOTALL)
    return [
        word
        for number, part in enumerate(parts)
        for word in ([part] if number % 2 else re.findall(r"\w+|[^\w\s]", part))
    ]


def expressions(text: str, key: str) -> Iterator[str]:
    """What stands behind each ``key:`` or ``key =`` of ``text`` (which ``code`` has been applied to)."""
    for match in re.finditer(rf"""(?<![\w$.])["']?{key}["']?\s*(?::|=(?![=>]))\s*""", text):
        yield text[match.end() : _end(text, match.end())].strip()


def _end(text: str, start: int) -> int:
    depth = 0
    for piece in PIECE.finditer(text, start):
        if piece["open"]:
            depth += 1
        elif piece["close"]:
            depth -= 1
        if depth < 0 or (piece["end"] and not depth):
            return piece.start()
    return len(text)


def literals(expression: str) -> list[str]:
    """The strings in an expression, unquoted."""
    return [match[0][1:-1].replace("\\\\", "\\") for match in LITERAL.finditer(expression)]


def literal(text: str, key: str) -> str:
    """The first ``key`` whose value is one plain string, "" if there is none."""
    for expression in expressions(text, key):
        if LITERAL.fullmatch(expression) and "${" not in expression:
            return expression[1:-1]
    return ""


def paths(expression: str, *, here: str, root: str) -> list[str]:
    """The paths that an expression means, relative to the repository's top: one, or an array of several.

    ``path.join(__dirname, "a", "b")`` is relative to the file's directory ``here``, a bare string to
    ``root``, where the tool runs. Elements that are computed otherwise are left out.
    """
    inner = expression.strip()
    elements = list(_elements(inner[1:-1])) if inner.startswith("[") and inner.endswith("]") else [inner]
    found = (_path(element, here, root) for element in elements)
    return [path for path in found if path is not None]


def _elements(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        end = _end(text, at)
        if text[at:end].strip():
            yield text[at:end].strip()
        at = end + 1


def _path(expression: str, here: str, root: str) -> str | None:
    words = [HERE.sub("", word).removeprefix("file://") for word in literals(expression)]
    if not words or any("${" in word for word in words):
        return None
    relative = "/".join(words)
    absolute = relative.startswith("/") and not HERE.search(expression)
    return None if absolute else join(here if HERE.search(expression) else root, relative)
