"""The parts of Neon's answers that we use, as frozen values.

Reading is lenient: unknown fields and states are ignored, a missing text is "". Whether a value is good
enough to act on is decided where it is used (guard.py, branch.py). Source: Neon's OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from neon_hooks.dsn import DEFAULT_PORT

Json = Mapping[str, Any]


def text(json: Json, key: str) -> str:
    value = json.get(key)
    return value if isinstance(value, str) else ""


def items(json: Json, key: str) -> list[Json]:
    """The objects in the list ``key``."""
    value = json.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def part(json: Json, key: str) -> Json:
    """The object ``key``, empty when there is none."""
    value = json.get(key)
    return value if isinstance(value, dict) else {}


def moment(value: str) -> datetime | None:
    """An RFC 3339 time, None when it is not one or has no time zone."""
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed.astimezone(timezone.utc) if parsed.tzinfo else None


@dataclass(frozen=True)
class Branch:
    """A Neon database branch. ``annotation`` is what its maker noted on it."""

    id: str
    name: str
    parent_id: str = ""
    default: bool = False
    protected: bool = False
    created_at: str = ""
    expires_at: str = ""
    annotation: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, json: Json, annotation: Json | None = None) -> Branch:
        return cls(
            id=text(json, "id"),
            name=text(json, "name"),
            parent_id=text(json, "parent_id"),
            # `primary` is the old name of `default`.
            default=json.get("default", json.get("primary")) is True,
            protected=json.get("protected") is True,
            created_at=text(json, "created_at"),
            expires_at=text(json, "expires_at"),
            annotation={k: v for k, v in part(annotation or {}, "value").items() if isinstance(v, str)},
        )


@dataclass(frozen=True)
class Endpoint:
    """A compute. ``port`` is not in Neon's API (there it is always 5432); the emulator adds it. ``state``: "active",
    "idle", "init".
    """

    id: str
    host: str
    branch_id: str
    type: str
    port: int = DEFAULT_PORT
    state: str = ""

    @classmethod
    def from_json(cls, json: Json) -> Endpoint:
        port = json.get("port", DEFAULT_PORT)
        return cls(
            id=text(json, "id"),
            host=text(json, "host"),
            branch_id=text(json, "branch_id"),
            type=text(json, "type"),
            port=port if isinstance(port, int) else 0,
            state=text(json, "current_state"),
        )


@dataclass(frozen=True)
class Operation:
    id: str
    action: str
    status: str
    error: str = ""
    branch_id: str = ""
    failures: int = 0
    retry_at: str = ""

    @classmethod
    def from_json(cls, json: Json) -> Operation:
        failures = json.get("failures_count")
        return cls(
            id=text(json, "id"),
            action=text(json, "action"),
            status=text(json, "status"),
            error=text(json, "error"),
            branch_id=text(json, "branch_id"),
            failures=failures if isinstance(failures, int) else 0,
            retry_at=text(json, "retry_at"),
        )


@dataclass(frozen=True)
class Database:
    name: str
    owner: str

    @classmethod
    def from_json(cls, json: Json) -> Database:
        return cls(text(json, "name"), text(json, "owner_name"))


@dataclass(frozen=True)
class Role:
    """``can_log_in`` is False for roles that Neon made without a way to authenticate."""

    name: str
    can_log_in: bool = True

    @classmethod
    def from_json(cls, json: Json) -> Role:
        return cls(text(json, "name"), text(json, "authentication_method") != "no_login")


@dataclass(frozen=True)
class Created:
    """The answer to a creation. Its connection strings are not kept: we ask for one by all its parts."""

    branch: Branch
    operations: tuple[Operation, ...] = field(default=())

    @classmethod
    def from_json(cls, json: Json) -> Created:
        return cls(
            Branch.from_json(part(json, "branch")),
            tuple(Operation.from_json(item) for item in items(json, "operations")),
        )
