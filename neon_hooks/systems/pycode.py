"""Reading Python migrations without running them. Pure.

A migration may be written for a newer Python than the one that runs this hook, or may not parse at all.
Neither is an error here: the project's own tool says it better. So every question has a second answer
that comes from the text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any


def parse(content: bytes) -> ast.Module | None:
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return None


def assignments(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Each ``name = value``, ``name: type = value`` and ``a, b = x, y`` of a module or class body."""
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _pairs(target, node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif (
        isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts)
    ):
        for name, item in zip(target.elts, value.elts):
            yield from _pairs(name, item)


def literal(node: ast.expr) -> Any:
    """The value of a literal expression, None for any other."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def module_values(content: bytes, names: frozenset[str]) -> dict[str, Any]:
    """The literal values of the module's variables ``names``; those that are set to None are left out."""
    module = parse(content)
    if module is None:
        return _values_in_text(content.decode("utf-8", "replace"), names)
    found = {name: literal(value) for name, value in assignments(module.body) if name in names}
    return {name: value for name, value in found.items() if value is not None}


def _values_in_text(text: str, names: frozenset[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        match = re.search(rf"^{name}\s*(?::[^=\n]+)?=\s*(.+)$", text, re.MULTILINE)
        words = re.findall(r"""["']([^"']+)["']""", match[1]) if match else []
        if words:
            found[name] = tuple(words)
    return found


def texts(value: Any) -> tuple[str, ...]:
    """``"a"``, ``("a", "b")`` or None as a tuple of texts."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (tuple, list, set)):
        return tuple(item for item in value if isinstance(item, str))
    return ()


class _Meaning(ast.NodeTransformer):
    """Leaves out what changes nothing when the code runs: docstrings, annotations, named assignments."""

    def __init__(self, ignored: frozenset[str]) -> None:
        self.ignored = ignored

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign | None:
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        return None if names & self.ignored else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | None:
        if node.value is None or not isinstance(node.target, ast.Name):
            return node
        return self.visit_Assign(ast.copy_location(ast.Assign([node.target], node.value), node))


def same_code(before: bytes, after: bytes, *, ignored: frozenset[str] = frozenset()) -> bool:
    """Whether two contents do the same, comments, docstrings and layout aside."""
    if before == after:
        return True
    old, new = parse(before), parse(after)
    if old is None or new is None:
        return before.split() == after.split()
    meaning = _Meaning(ignored)
    return ast.dump(meaning.visit(old)) == ast.dump(meaning.visit(new))
