"""What a Neon project consists of, and how the API shows each part. Data only: no rules, no processes.

The field names follow Neon's OpenAPI document. Times are aware datetimes and are shown as RFC 3339 in
UTC with whole seconds, as Neon does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

HOST = "127.0.0.1"
REGION = "local"
PROVISIONER = "k8s-neonvm"


def now() -> datetime:
    return datetime.now(UTC)


def shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class State(StrEnum):
    """Of a Neon database branch (init, resetting, ready) and of a compute (init, active, idle)."""

    INIT = "init"
    RESETTING = "resetting"
    READY = "ready"
    ACTIVE = "active"
    IDLE = "idle"


class Kept:
    """A part of the project that survives a restart as JSON."""

    def kept(self) -> dict[str, Any]:
        return {key: _plain(value) for key, value in asdict(self).items()}  # type: ignore[call-overload]

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Self:
        known = {item.name: item for item in fields(cls)}  # type: ignore[arg-type]
        return cls(**{key: _value(known[key].type, value) for key, value in values.items() if key in known})


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [{key: _plain(item) for key, item in entry.items()} for entry in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _value(kind: Any, value: Any) -> Any:
    """``kind`` is the annotation as text (from __future__ import annotations)."""
    if value is not None and str(kind).startswith("datetime"):
        return datetime.fromisoformat(value)
    if kind == "list[Role]":
        return [Role.restored(entry) for entry in value]
    if kind == "list[Database]":
        return [Database.restored(entry) for entry in value]
    return value


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


@dataclass
class Role(Kept):
    """``password`` is None for a role that cannot log in."""

    name: str
    password: str | None = field(repr=False)
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    def to_json(self, neon_branch_id: str, *, password: bool = False) -> dict[str, Any]:
        return _without_none(
            {
                "branch_id": neon_branch_id,
                "name": self.name,
                "password": self.password if password else None,
                "protected": False,
                "authentication_method": "password" if self.password is not None else "no_login",
                "created_at": shown(self.created_at),
                "updated_at": shown(self.updated_at),
            }
        )


@dataclass
class Database(Kept):
    id: int
    name: str
    owner_name: str
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    def to_json(self, neon_branch_id: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "branch_id": neon_branch_id,
            "name": self.name,
            "owner_name": self.owner_name,
            "created_at": shown(self.created_at),
            "updated_at": shown(self.updated_at),
        }


@dataclass
class Endpoint(Kept):
    """The compute of a Neon database branch. ``port`` is ours alone: every compute is on one host."""

    id: str
    project_id: str
    branch_id: str
    port: int
    current_state: State = State.INIT
    pending_state: State | None = State.ACTIVE
    min_cu: float = 0.25
    max_cu: float = 0.25
    suspend_timeout_seconds: int = 0
    pg_settings: dict[str, str] = field(default_factory=dict)
    name: str | None = None
    disabled: bool = False
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    started_at: datetime | None = None
    suspended_at: datetime | None = None

    def turn(self, state: State, pending: State | None = None) -> None:
        self.updated_at = now()
        if state == State.ACTIVE != self.current_state:
            self.started_at = self.updated_at
        elif state == State.IDLE != self.current_state:
            self.suspended_at = self.updated_at
        self.current_state, self.pending_state = state, pending

    def to_json(self) -> dict[str, Any]:
        return _without_none(
            {
                "host": HOST,
                "port": self.port,
                "id": self.id,
                "name": self.name,
                "project_id": self.project_id,
                "branch_id": self.branch_id,
                "autoscaling_limit_min_cu": self.min_cu,
                "autoscaling_limit_max_cu": self.max_cu,
                "region_id": REGION,
                "type": "read_write",
                "current_state": self.current_state,
                "pending_state": self.pending_state,
                "settings": {"pg_settings": self.pg_settings},
                "pooler_enabled": False,
                "pooler_mode": "transaction",
                "disabled": self.disabled,
                "passwordless_access": False,
                "creation_source": "api",
                "created_at": shown(self.created_at),
                "updated_at": shown(self.updated_at),
                "started_at": shown(self.started_at) if self.started_at else None,
                "suspended_at": shown(self.suspended_at) if self.suspended_at else None,
                "proxy_host": HOST,
                "suspend_timeout_seconds": self.suspend_timeout_seconds,
                "provisioner": PROVISIONER,
            }
        )


@dataclass
class NeonBranch(Kept):
    """``timeline`` names the cluster that holds the data; restoring the Neon database branch changes it."""

    id: str
    project_id: str
    name: str
    timeline: str
    parent_id: str | None = None
    init_source: str = "parent-data"
    default: bool = False
    protected: bool = False
    current_state: State = State.INIT
    pending_state: State | None = State.READY
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    state_changed_at: datetime = field(default_factory=now)
    expires_at: datetime | None = None
    ttl_interval_seconds: int | None = None
    last_reset_at: datetime | None = None
    deleted_at: datetime | None = None
    deletion_method: str = ""
    annotation: dict[str, str] | None = None
    roles: list[Role] = field(default_factory=list)
    databases: list[Database] = field(default_factory=list)
    masking_rules: list[dict[str, str]] | None = None
    masking_state: str = ""
    masking_message: str = ""
    masking_changed_at: datetime | None = None

    def turn(self, state: State, pending: State | None = None) -> None:
        self.current_state, self.pending_state = state, pending
        self.state_changed_at = self.updated_at = now()

    def role(self, name: str) -> Role | None:
        return next((role for role in self.roles if role.name == name), None)

    def database(self, name: str) -> Database | None:
        return next((database for database in self.databases if database.name == name), None)

    def to_json(self) -> dict[str, Any]:
        return _without_none(
            {
                "id": self.id,
                "project_id": self.project_id,
                "parent_id": self.parent_id,
                "name": self.name,
                "current_state": self.current_state,
                "pending_state": self.pending_state,
                "state_changed_at": shown(self.state_changed_at),
                "creation_source": "api",
                "primary": self.default,
                "default": self.default,
                "protected": self.protected,
                "cpu_used_sec": 0,
                "compute_time_seconds": 0,
                "active_time_seconds": 0,
                "written_data_bytes": 0,
                "data_transfer_bytes": 0,
                "created_at": shown(self.created_at),
                "updated_at": shown(self.updated_at),
                "ttl_interval_seconds": self.ttl_interval_seconds,
                "expires_at": shown(self.expires_at) if self.expires_at else None,
                "last_reset_at": shown(self.last_reset_at) if self.last_reset_at else None,
                "init_source": self.init_source,
                "recovery": self._recovery(),
            }
        )

    def _recovery(self) -> dict[str, str] | None:
        if self.deleted_at is None:
            return None
        # The emulator keeps no data of a deleted Neon database branch: the window is over at once.
        gone = shown(self.deleted_at)
        return {"deleted_at": gone, "recoverable_until": gone, "deletion_method": self.deletion_method}

    def annotation_json(self) -> dict[str, Any]:
        return {
            "object": {"type": "console/branch", "id": self.id},
            "value": self.annotation or {},
            "created_at": shown(self.created_at),
            "updated_at": shown(self.updated_at),
        }
