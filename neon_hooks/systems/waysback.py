"""Which migrations have a way back: a file beside them, a part of their file, a function in it. Pure.

Only what is absent or empty for certain is missed. What the text leaves open counts as a way back, and so
does one that says why there is none: a comment in its place, an exception for the irreversible.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping

from neon_hooks.plan import Migration, Unit
from neon_hooks.systems.base import History
from neon_hooks.systems.jscode import TOKEN
from neon_hooks.systems.pycode import parse
from neon_hooks.systems.sqltext import code
from neon_hooks.tree import Tree

Part = Callable[[str], str]  # a file's text -> the part of it that leads back, "" for none
Downs = Callable[[Unit, Tree, History], Mapping[str, str]]  # id -> the text of its way back, where it has one

RUBY_UP, RUBY_DOWN, RUBY_EMPTY = (
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^\s*def\s+(?:self\.)?up\b",
        r"^\s*def\s+(?:self\.)?(?:down|change)\b",
        r"^\s*def\s+(?:self\.)?down\b[ \t]*(?:\(\))?\s*;?\s*end\b",
    )
)
ELIXIR_UP, ELIXIR_DOWN = (re.compile(rf"^\s*def\s+{name}\b", re.MULTILINE) for name in ("up", "(?:down|change)"))
# What may stand between a function's name and its body with nothing in it: `down(x): Promise<void> {}`,
# `down = async (x) => {}`, `down: function () {}`.
EMPTY = (
    r"\s*(?:[:=]\s*)?(?:async\s*)?(?:function\b\s*\w*\s*)?(?:\([^(){}]*\)|\w+)[^(){}=;,]*(?:=>)?\s*\{\s*\}"
)
RUST_DOWN = re.compile(r"\bfn\s+down\b")
# Functions that say that there is no way back: they fail when they are asked for it.
GIVEN_UP = re.compile(
    r"\bIrreversible(?:Migration|Error)\b|\bNotImplementedError\b|\bNotSupportedException\b|\bdown\s*[:=]\s*false\b"
)


def is_given_up(text: str) -> bool:
    """Whether a way back only says that there is none: it fails when it is asked for, or is a comment."""
    return bool(GIVEN_UP.search(text)) or not code(text)


def beside(file_of: Callable[[Migration], str]) -> Downs:
    """A file of its own, with anything in it; ``file_of`` says where it would lie, "" for nowhere."""
    return lambda unit, tree, history: _there((m.id, tree.text(file_of(m))) for m in history)


def within(part: Part, *, suffixes: tuple[str, ...] = ("",)) -> Downs:
    """In the migration's own file; in one without any of ``suffixes`` it is taken for granted."""

    def downs(unit: Unit, tree: Tree, history: History) -> Mapping[str, str]:
        texts = ((m, tree.text(m.path)) for m in history)
        return _there((m.id, part(text) if m.path.endswith(suffixes) else text) for m, text in texts)

    return downs


def _there(texts: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    return {id: text for id, text in texts if text.strip()}


def after(mark: re.Pattern[str], noise: re.Pattern[str] | None = None) -> Part:
    """What follows the line of ``mark``; lines of ``noise`` are nothing in it."""

    def part(text: str) -> str:
        found = mark.search(text)
        rest = text[found.end() :].partition("\n")[2] if found else ""
        return noise.sub("", rest) if noise else rest

    return part


def function(up: str = "up", down: str = "down", *, absent: bool = False) -> Part:
    """A function in a language with braces. ``absent``: whether the tool finds a way back where there is none."""
    empty_up, empty_down = (re.compile(rf"\b{name}\b{EMPTY}") for name in (up, down))
    named = re.compile(rf"\b{down}\b")

    def has(text: str) -> bool:
        # A comment becomes something that is no part of a function's head, and not nothing in its body.
        plain = TOKEN.sub(lambda match: match["string"] or ";", text)
        if empty_up.search(plain):
            return True
        return not empty_down.search(plain) if named.search(plain) else absent

    return _whole(has)


def _whole(has: Callable[[str], bool]) -> Part:
    return lambda text: text if has(text) else ""


def _ruby(text: str) -> bool:
    if not RUBY_UP.search(text):
        return True
    return bool(RUBY_DOWN.search(text)) and not RUBY_EMPTY.search(text)


ruby = _whole(_ruby)  # ``change`` is reversed by Active Record itself
elixir = _whole(lambda text: not ELIXIR_UP.search(text) or bool(ELIXIR_DOWN.search(text)))
rust = _whole(lambda text: bool(RUST_DOWN.search(text)))


def python(up: str, down: str) -> Part:
    """A function of the module that does something, where the way forward does something."""

    def has(text: str) -> bool:
        module = parse(text.encode())
        if module is None:
            return True
        bodies = {node.name: node.body for node in module.body if isinstance(node, ast.FunctionDef)}
        return up not in bodies or _is_empty(bodies[up]) or not _is_empty(bodies.get(down, []))

    return _whole(has)


def _is_empty(body: list[ast.stmt]) -> bool:
    return all(
        isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in body
    )


def calls(names: frozenset[str], keyword: str) -> Callable[[str], tuple[bool, ...] | None]:
    """For each call of one of ``names``: whether a second argument, or ``keyword``, is given. None: no Python."""

    def given(text: str) -> tuple[bool, ...] | None:
        module = parse(text.encode())
        if module is None:
            return None
        return tuple(
            len(node.args) > 1
            or any(isinstance(each, ast.Starred) for each in node.args)
            or any(each.arg in (keyword, None) for each in node.keywords)
            for node in ast.walk(module)
            if isinstance(node, ast.Call) and _name(node.func) in names
        )

    return given


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
