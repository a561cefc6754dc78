"""The state of the emulated Neon project: what exists, how it is found, how it is kept.

The rules for changing it are in lifecycle.py, computes.py, contents.py and masking.py; all of them, and
whoever reads, hold ``lock``. Nothing here knows HTTP.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from neon_hooks.dsn import Dsn
from neon_hooks.emulator import names, problems
from neon_hooks.emulator.fleet import Fleet
from neon_hooks.emulator.model import (
    HOST,
    PROVISIONER,
    REGION,
    Database,
    Endpoint,
    NeonBranch,
    Role,
    State,
    now,
    shown,
)
from neon_hooks.emulator.operations import FINAL, Operation, Operations, Status
from neon_hooks.emulator.template import DATABASE, OWNER
from neon_hooks.errors import UsageError

COUNTERS = (
    "active_time_seconds",
    "compute_time_seconds",
    "written_data_bytes",
    "data_transfer_bytes",
    "data_storage_bytes_hour",
)


@dataclass(frozen=True)
class Rules:
    """Limits and habits of the project that a test may want otherwise.

    ``expiry_lateness``: seconds by which the background job that deletes expired Neon database branches
    is late; Neon promises no exact moment.
    """

    branch_limit: int = 10
    root_limit: int = 3
    store_passwords: bool = True
    operation_seconds: float = 0.0
    expiry_lateness: float = 0.0
    require_org_id: bool = False


class Project:
    """One Neon project. ``file``: where it is kept between starts, or None."""

    def __init__(self, fleet: Fleet, rules: Rules, file: Path | None) -> None:
        self.fleet = fleet
        self.rules = rules
        self.lock = threading.RLock()
        self.id = names.identifier()
        self.organization_id = names.identifier("org")
        self.user_id = names.identifier("user")
        self.created_at = now()
        self.keys: dict[str, str] = {}  # API key -> "personal", "org" or "project"
        self.neon_branches: dict[str, NeonBranch] = {}
        self.deleted: list[NeonBranch] = []
        self.endpoints: dict[str, Endpoint] = {}
        self.closed = False
        self._file = file
        self._last_database_id = 0
        kept = _read(file) if file and file.exists() else {}
        self.id = kept.get("id", self.id)
        self.operations = Operations(self.id, self.lock, rules.operation_seconds, self.save)
        if kept:
            self._restore(kept)

    def neon_branch(self, neon_branch_id: str) -> NeonBranch:
        """Raises Problem 404."""
        found = self.neon_branches.get(neon_branch_id)
        if found is None:
            raise problems.not_found("branch")
        return found

    @property
    def default(self) -> NeonBranch:
        return next(neon_branch for neon_branch in self.neon_branches.values() if neon_branch.default)

    def children(self, neon_branch: NeonBranch) -> Sequence[NeonBranch]:
        return [other for other in self.neon_branches.values() if other.parent_id == neon_branch.id]

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """Raises Problem 404."""
        found = self.endpoints.get(endpoint_id)
        if found is None:
            raise problems.not_found("endpoint")
        return found

    def endpoint_of(self, neon_branch: NeonBranch) -> Endpoint | None:
        return next((item for item in self.endpoints.values() if item.branch_id == neon_branch.id), None)

    def dsn(self, neon_branch: NeonBranch, endpoint: Endpoint, database: Database, role: Role) -> Dsn:
        # No TLS: the wheel's server is built without OpenSSL.
        return Dsn(HOST, database.name, role.name, role.password or "", endpoint.port, {"sslmode": "disable"})

    def next_database_id(self) -> int:
        self._last_database_id += 1
        return self._last_database_id

    def create_main(self) -> None:
        """The default Neon database branch ``main``, with ``neondb`` and its owner, running."""
        self.fleet.keep_only([])
        role = Role(OWNER, names.password())
        main = NeonBranch(names.identifier("br"), self.id, "main", timeline=names.identifier(), default=True)
        main.roles = [role]
        main.databases = [Database(self.next_database_id(), DATABASE, OWNER)]
        port = self.fleet.create_first(main.timeline, role.password or "")
        main.turn(State.READY)
        endpoint = Endpoint(names.identifier("ep"), self.id, main.id, port)
        endpoint.turn(State.ACTIVE)
        self.neon_branches[main.id] = main
        self.endpoints[endpoint.id] = endpoint
        self.save()

    def wake_up(self) -> None:
        """Start the computes that were active when the project was kept; drop what was half-made."""
        self.fleet.keep_only([neon_branch.timeline for neon_branch in self.neon_branches.values()])
        for neon_branch in list(self.neon_branches.values()):
            if neon_branch.current_state == State.INIT or not self.fleet.found(neon_branch.timeline):
                self.forget(neon_branch)
                self.fleet.delete(neon_branch.timeline)
            elif neon_branch.current_state != State.READY:
                neon_branch.turn(State.READY)
        for endpoint in self.endpoints.values():
            timeline = self.neon_branches[endpoint.branch_id].timeline
            endpoint.port = self.fleet.reserve(timeline, endpoint.port)
            active = State.ACTIVE in (endpoint.current_state, endpoint.pending_state)
            if active:
                endpoint.port = self.fleet.start(timeline, endpoint.port)
            endpoint.turn(State.ACTIVE if active else State.IDLE)
        self.save()

    def close(self) -> None:
        """Wait for the request that is being answered, and let no other in."""
        with self.lock:
            self.closed = True

    def forget(self, neon_branch: NeonBranch) -> None:
        """Take the Neon database branch and its computes out of the state."""
        self.neon_branches.pop(neon_branch.id, None)
        for endpoint in [item for item in self.endpoints.values() if item.branch_id == neon_branch.id]:
            del self.endpoints[endpoint.id]

    def save(self) -> None:
        """Write the state, all or nothing. It holds passwords, so nobody else may read it."""
        if self._file is None:
            return
        state = {
            "id": self.id,
            "organization_id": self.organization_id,
            "user_id": self.user_id,
            "created_at": self.created_at.isoformat(),
            "postgres": self.fleet.binaries.major,
            "admin_password": self.fleet.admin_password,
            "last_database_id": self._last_database_id,
            "keys": self.keys,
            "neon_branches": [item.kept() for item in self.neon_branches.values()],
            "deleted": [item.kept() for item in self.deleted],
            "endpoints": [item.kept() for item in self.endpoints.values()],
            "operations": [item.kept() for item in self.operations.history],
        }
        scratch = self._file.with_suffix(".new")
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(state, file, indent=1)
        scratch.replace(self._file)

    def _restore(self, kept: dict[str, Any]) -> None:
        if kept["postgres"] != self.fleet.binaries.major:
            raise UsageError(
                f"{self._file} is of Postgres {kept['postgres']}, and this is {self.fleet.binaries.major}",
                fix=f"add --postgres-version {kept['postgres']}, or choose another directory",
            )
        self.organization_id = kept["organization_id"]
        self.user_id = kept["user_id"]
        self.created_at = datetime.fromisoformat(kept["created_at"])
        self.fleet.admin_password = kept["admin_password"]
        self._last_database_id = kept["last_database_id"]
        self.keys = kept["keys"]
        self.neon_branches = {item["id"]: NeonBranch.restored(item) for item in kept["neon_branches"]}
        self.deleted = [NeonBranch.restored(item) for item in kept["deleted"]]
        self.endpoints = {item["id"]: Endpoint.restored(item) for item in kept["endpoints"]}
        for item in kept["operations"]:
            operation = Operation.restored(item)
            if operation.status not in FINAL:
                operation.turn(Status.CANCELLED)
            self.operations.history.append(operation)

    def to_json(self) -> dict[str, Any]:
        moment = shown(self.created_at)
        return {
            **self.to_list_json(),
            **dict.fromkeys(COUNTERS, 0),
            "consumption_period_start": moment,
            "consumption_period_end": moment,
            "history_retention_seconds": 0,
        }

    def to_list_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "platform_id": "local",
            "region_id": REGION,
            "name": "emulator",
            "provisioner": PROVISIONER,
            "pg_version": self.fleet.binaries.major,
            "proxy_host": HOST,
            "branch_logical_size_limit": 0,
            "branch_logical_size_limit_bytes": 0,
            "store_passwords": self.rules.store_passwords,
            "active_time": 0,
            "cpu_used_sec": 0,
            "creation_source": "api",
            "created_at": shown(self.created_at),
            "updated_at": shown(self.created_at),
            "owner_id": self.organization_id,
            "org_id": self.organization_id,
        }


def _read(file: Path) -> dict[str, Any]:
    try:
        kept = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {file}: {error}", fix="choose another directory") from None
    return dict(kept)
