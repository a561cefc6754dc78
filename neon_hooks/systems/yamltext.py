"""Reading the YAML that frameworks' configuration files are written in. Pure.

A subset, and forgiving: block maps and lists, flow lists, quoted and plain scalars, anchors and merges,
several documents. Lines of templates (ERB) are left out. What is not understood is text, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

KEY = re.compile(
    r"""(?P<key>"[^"]*"|'[^']*'|[^\s#'"\[{&*!|>-][^:#]*?|<<|-[^\s:][^:#]*?)\s*:(?:\s+(?P<rest>.*))?$"""
)
ANCHOR = re.compile(r"[&!](\S+)\s*")
COMMENT = re.compile(r"\s+#.*$|^#.*$")
TEMPLATE = re.compile(r"^\s*<%[^=].*%>\s*$")
Line = tuple[int, str]


def documents(text: str) -> list[Any]:
    """Each document of a stream: maps as dict, lists as list, everything else as text."""
    return [
        _Reader(part).document() for part in re.split(r"^---.*$", text, flags=re.MULTILINE) if part.strip()
    ]


def document(text: str) -> Mapping[str, Any]:
    """The first document that is a map, {} when there is none."""
    return next((found for found in documents(text) if isinstance(found, dict)), {})


def value_at(found: Any, path: str) -> Any:
    """The value at ``a.b.c``, whose keys may also be written in one ("spring.flyway: ..."); None when absent."""
    if not path:
        return found
    if not isinstance(found, dict):
        return None
    for key, value in found.items():
        if path == key or path.startswith(f"{key}."):
            deeper = value_at(value, path[len(key) + 1 :])
            if deeper is not None:
                return deeper
    return None


class _Reader:
    def __init__(self, text: str) -> None:
        self._anchors: dict[str, Any] = {}
        self._lines: list[Line] = []
        for raw in text.splitlines():
            if TEMPLATE.match(raw) or raw.startswith("%"):
                continue
            line = raw if "'" in raw or '"' in raw else COMMENT.sub("", raw)
            if line.strip() and not line.lstrip().startswith("#"):
                self._lines.append((len(line) - len(line.lstrip()), line.strip()))
        self._at = 0

    def document(self) -> Any:
        return self._block(self._lines[0][0]) if self._lines else None

    def _block(self, indent: int) -> Any:
        """The map, list or text that begins at the present line."""
        first = self._lines[self._at][1]
        if first == "-" or first.startswith("- "):
            return self._list(indent)
        if KEY.match(first):
            return self._map(indent)
        self._at += 1
        return _scalar(first)

    def _list(self, indent: int) -> list[Any]:
        found: list[Any] = []
        while self._at < len(self._lines):
            here, line = self._lines[self._at]
            if here != indent or not (line == "-" or line.startswith("- ")):
                break
            rest = line[1:].lstrip()
            if not rest:
                self._at += 1
                found.append(self._nested(indent))
            else:  # "- key: value": what follows the dash is a block of its own, further in
                self._lines[self._at] = (here + len(line) - len(rest), rest)
                found.append(self._block(self._lines[self._at][0]))
        return found

    def _map(self, indent: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._at < len(self._lines):
            here, line = self._lines[self._at]
            match = KEY.match(line)
            if here != indent or not match:
                if here <= indent:
                    break
                self._at += 1  # what is not understood: the rest of a text in several lines
                continue
            self._at += 1
            key = _scalar(match["key"])
            value = self._value((match["rest"] or "").strip(), indent)
            if key == "<<":
                merged = value if isinstance(value, dict) else {}
                found = {**merged, **found}
            else:
                found[key] = value
        return found

    def _value(self, rest: str, indent: int) -> Any:
        anchor = ANCHOR.match(rest)
        if anchor:
            value = self._value(rest[anchor.end() :], indent)
            if rest.startswith("&"):
                self._anchors[anchor[1]] = value
            return value
        if rest.startswith("*"):
            return self._anchors.get(rest[1:].split()[0], {})
        if rest[:1] in ("|", ">") and not re.search(r"[^|>\d+-]", rest):
            return self._text(indent)
        if not rest:
            return self._nested(indent)
        return _scalar(rest)

    def _nested(self, indent: int) -> Any:
        """What stands below a key: further in, or a list at the key's own indent."""
        if self._at >= len(self._lines):
            return ""
        here, line = self._lines[self._at]
        if here > indent or (here == indent and line.startswith("- ")):
            return self._block(here)
        return ""

    def _text(self, indent: int) -> str:
        lines = []
        while self._at < len(self._lines) and self._lines[self._at][0] > indent:
            lines.append(self._lines[self._at][1])
            self._at += 1
        return "\n".join(lines)


def _scalar(text: str) -> Any:
    if text[:1] in ('"', "'"):
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text
    if text.startswith("[") and text.endswith("]"):
        return [_scalar(part.strip()) for part in text[1:-1].split(",") if part.strip()]
    return text.strip()
