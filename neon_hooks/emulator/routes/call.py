"""What a handler is given, what it returns, and how it reads a request's fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from neon_hooks.emulator import problems
from neon_hooks.emulator.operations import Operation
from neon_hooks.emulator.project import Project


@dataclass(frozen=True)
class Reply:
    """``body`` None is an empty answer."""

    body: dict[str, Any] | None
    status: int = 200


@dataclass(frozen=True)
class Call:
    """One request that has passed authentication. ``key_kind``: "personal", "org" or "project"."""

    project: Project
    key_kind: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any] = field(default_factory=dict)

    def required(self, name: str) -> str:
        """A parameter of the query that must be there."""
        if not self.query.get(name):
            raise problems.bad_request(f"parameter {name} is required")
        return self.query[name]

    def number(self, name: str, default: int, most: int) -> int:
        text = self.query.get(name, str(default))
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise problems.bad_request(f"parameter {name} must be a number from 1 to {most}")
        return int(text)

    def flag(self, name: str) -> bool:
        text = self.query.get(name, "false")
        if text not in ("true", "false"):
            raise problems.bad_request(f"parameter {name} must be true or false")
        return text == "true"

    def part(self, name: str) -> Mapping[str, Any]:
        """The object ``name`` of the body, {} when it is not there."""
        return object_of(self.body, name)


Handler = Callable[[Call], Reply]


def object_of(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise problems.bad_request(f"{name} must be an object")
    return found


def text(values: Mapping[str, Any], name: str, default: str = "") -> str:
    found = values.get(name, default)
    if not isinstance(found, str):
        raise problems.bad_request(f"{name} must be a string")
    return found


def flag(values: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    found = values.get(name, default)
    if not isinstance(found, bool):
        raise problems.bad_request(f"{name} must be a boolean")
    return found


def texts(values: Mapping[str, Any], name: str) -> dict[str, str]:
    found = object_of(values, name)
    if not all(isinstance(item, str) for item in found.values()):
        raise problems.bad_request(f"{name} must be a map of strings")
    return dict(found)


def operations(scheduled: Sequence[Operation]) -> dict[str, Any]:
    return {"operations": [operation.to_json() for operation in scheduled]}


def page(
    items: Sequence[Any], call: Call, key: Callable[[Any], str], limit: int
) -> tuple[Sequence[Any], str]:
    """The items after the cursor, and the next page's cursor ("" at the end): the id of the last item."""
    start = 0
    if call.query.get("cursor"):
        ids = [key(item) for item in items]
        if call.query["cursor"] not in ids:
            raise problems.bad_request("invalid cursor")
        start = ids.index(call.query["cursor"]) + 1
    chosen = items[start : start + limit]
    more = start + limit < len(items)
    return chosen, key(chosen[-1]) if more and chosen else ""
