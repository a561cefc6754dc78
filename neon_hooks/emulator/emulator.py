"""The emulator as one object: a Neon project on this machine, with its API, for as long as it is open."""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from neon_hooks.dsn import Dsn
from neon_hooks.emulator import names
from neon_hooks.emulator.binaries import Binaries, find
from neon_hooks.emulator.control import disturb
from neon_hooks.emulator.expiry import Deleter
from neon_hooks.emulator.faults import Faults
from neon_hooks.emulator.fleet import Fleet
from neon_hooks.emulator.home import Home
from neon_hooks.emulator.journal import Journal, Request
from neon_hooks.emulator.model import HOST
from neon_hooks.emulator.project import Project, Rules
from neon_hooks.emulator.server import BASE, Server
from neon_hooks.errors import UsageError

KEY_KINDS = ("personal", "org", "project")


class Emulator:
    """The Neon API v2 on embedded Postgres.

    ``data``: a directory in which the project lives on between starts; without it everything is temporary.
    ``port``: of the API, 0 is any. ``postgres``: from ``binaries.find``. ``key_kind``: "personal", "org" or
    "project". The other settings are described at ``Rules``.

    Raises UsageError (``data`` or ``port`` in use, no such Postgres) and Unavailable (Postgres does not
    start). Close it, or use it as a context manager; when the process dies instead, a watchdog stops the
    servers.
    """

    def __init__(
        self,
        *,
        data: Path | None = None,
        port: int = 0,
        postgres: Binaries | None = None,
        operation_seconds: float = 0.0,
        branch_limit: int = 10,
        root_limit: int = 3,
        store_passwords: bool = True,
        expiry_lateness: float = 0.0,
        require_org_id: bool = False,
        key_kind: str = "personal",
    ) -> None:
        self.faults = Faults()
        self.journal = Journal()
        self._process = os.getpid()
        rules = Rules(
            branch_limit, root_limit, store_passwords, operation_seconds, expiry_lateness, require_org_id
        )
        with ExitStack() as stack:
            binaries = postgres or find()
            home = Home(data, binaries.account)
            stack.callback(home.close)
            fleet = Fleet(home, binaries)
            stack.callback(fleet.close)
            self._project = Project(fleet, rules, None if home.temporary else home.path / "state.json")
            self._server = self._listen(port)
            stack.callback(self._server.server_close)
            if self._project.neon_branches:
                self._project.wake_up()
            else:
                self._project.create_main()
            self.api_key = self._first_key(key_kind)
            stack.callback(self._project.operations.close)
            self._project.operations.start()
            deleter = Deleter(self._project)
            stack.callback(deleter.close)
            deleter.start()
            stack.callback(self._project.close)
            stack.callback(self._server.close)
            self._server.start()
            self._closing = stack.pop_all()
        atexit.register(self.close)

    def _listen(self, port: int) -> Server:
        try:
            return Server(port, self._project, self.faults, self.journal)
        except (OSError, OverflowError) as error:
            raise UsageError(f"cannot listen on {HOST}:{port}: {error}", fix="choose another port") from None

    def _first_key(self, kind: str) -> str:
        """The key of this kind that was kept, else a new one."""
        kept = [key for key, its_kind in self._project.keys.items() if its_kind == kind]
        return kept[0] if kept else self.new_key(kind)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything and remove what is temporary. May be called twice."""
        if os.getpid() != self._process:
            return  # a forked child that ends is not the end of the emulator
        atexit.unregister(self.close)
        self._closing.close()

    @property
    def api_host(self) -> str:
        """Base URL, to be used as NEON_API_HOST."""
        return f"http://{HOST}:{self._server.server_port}{BASE}"

    @property
    def project_id(self) -> str:
        return self._project.id

    @property
    def main(self) -> Dsn:
        """The default Neon database branch, as the owner of its first database."""
        with self._project.lock:
            main = self._project.default
            endpoint = self._project.endpoint_of(main)
            if endpoint is None or not main.databases:
                raise UsageError("the default Neon database branch has no compute or no database")
            role = main.role(main.databases[0].owner_name)
            return self._project.dsn(main, endpoint, main.databases[0], role or main.roles[0])

    @property
    def requests(self) -> Sequence[Request]:
        """Every request to the API so far, the oldest first."""
        return self.journal.requests

    def neon_branches(self) -> Sequence[dict[str, Any]]:
        """The Neon database branches that exist, as the API shows them."""
        with self._project.lock:
            return [neon_branch.to_json() for neon_branch in self._project.neon_branches.values()]

    def new_key(self, kind: str) -> str:
        """A further API key: "personal", "org" or "project"."""
        if kind not in KEY_KINDS:
            raise UsageError(f"{kind!r} is not a kind of API key", fix=f"one of {', '.join(KEY_KINDS)}")
        with self._project.lock:
            key = names.api_key()
            self._project.keys[key] = kind
            self._project.save()
            return key

    def disturb(self, seconds: float, action: str = "check_availability") -> None:
        """Let an operation of Neon's own lock the project for ``seconds``."""
        disturb(self._project, action, seconds)

    def release_stuck(self) -> None:
        """Let operations that a fault made stuck go on."""
        self._project.operations.release_stuck()
