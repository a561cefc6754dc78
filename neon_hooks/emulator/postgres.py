"""One Postgres cluster: its data directory and the server process that runs on it.

Each timeline of a Neon database branch is a cluster of its own, so roles, settings, suspension and
deletion are as separate here as they are at Neon. Nothing here knows the API.
"""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from neon_hooks.emulator.binaries import Binaries
from neon_hooks.emulator.home import Home
from neon_hooks.errors import Unavailable

ADDRESS = "127.0.0.1"
ADMIN = "postgres"
READY = "ready"  # the 8th line of postmaster.pid (src/include/utils/pidfile.h)
START_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL = 0.003
LOG_LINE = re.compile(r"(?:LOG|FATAL|PANIC):\s+(.+)")


class Port:
    """A free port of ours: bound, and not listening, while no server uses it."""

    def __init__(self, number: int = 0) -> None:
        self._socket: socket.socket | None = None
        try:
            self.number = self._hold(number)
        except OSError:
            self.number = self._hold(0)

    def _hold(self, number: int) -> int:
        holder = socket.socket()
        # Closed connections of an earlier server may linger on a known port. A new one is not shared:
        # two holders that both reuse could get the same (socket(7)).
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(number != 0))
        try:
            holder.bind((ADDRESS, number))
        except OSError:
            holder.close()
            raise
        self._socket = holder
        return int(holder.getsockname()[1])

    def hold(self) -> None:
        """Keep others from it. Where somebody was quicker, the next start says so."""
        if self._socket is None:
            try:
                self._hold(self.number)
            except OSError:
                return

    def release(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Cluster:
    """A data directory below ``home.clusters``; at most one server at a time."""

    def __init__(self, home: Home, binaries: Binaries, name: str) -> None:
        self.home = home
        self.binaries = binaries
        self.name = name
        self.path = home.clusters / name
        self.port = 0
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._server is not None and self._server.poll() is None

    def make_directory(self) -> None:
        """An empty data directory that belongs to Postgres' account."""
        self.path.mkdir(mode=0o700)
        self.binaries.account.own(self.path)

    def run(self, program: str, *arguments: str, password: str = "") -> str:
        """Run a program of Postgres on this cluster and return its output. Raises Unavailable."""
        environment = {**self.binaries.environment, **({"PGPASSWORD": password} if password else {})}
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [self.binaries.program(program), *arguments],
            env=environment, capture_output=True, text=True, check=False, cwd="/",
            stdin=subprocess.DEVNULL, pass_fds=self.home.fds, start_new_session=True,
            **self.binaries.account.options,
        )  # fmt: skip
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise Unavailable(f"{program} failed: {lines[-1]}", fix="see the message of Postgres above")
        return done.stdout

    def start(self, port: int, *settings: str) -> None:
        """Start the server and wait until it accepts connections. Raises Unavailable."""
        seen = self.home.seen_by_postgres(self.name)
        options = [part for setting in settings for part in ("-c", setting)]
        until = time.monotonic() + START_SECONDS
        with open(self.log, "ab") as log:
            self._server = subprocess.Popen(
                [self.binaries.program("postgres"), "-D", seen, "-p", str(port), *options],
                env=self.binaries.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                pass_fds=self.home.fds, start_new_session=True, **self.binaries.account.options,
            )  # fmt: skip
        while not self._is_ready(self._server):
            if self._server.poll() is not None or time.monotonic() > until:
                self.stop(signal.SIGKILL)
                raise Unavailable(f"Postgres did not start: {self._last_words()}", fix=f"see {self.log}")
            time.sleep(POLL)
        self.port = port

    @property
    def log(self) -> Path:
        return self.home.path / f"{self.name}.log"

    def _is_ready(self, server: subprocess.Popen[bytes]) -> bool:
        try:
            lines = (self.path / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(server.pid) and lines[7].strip() == READY

    def _last_words(self) -> str:
        """The cause comes before the FATAL line, if that is not the cause itself."""
        said = LOG_LINE.findall(self.log.read_text(errors="replace"))
        return "; ".join(said[-2:]) or "no message"

    def ask_to_stop(self, how: signal.Signals) -> None:
        """What ``stop`` does first, without waiting."""
        if self._server is not None:
            self._server.send_signal(how)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: "fast", every session is ended and all is written; SIGQUIT: at once (manual, 18.5)."""
        server, self._server, self.port = self._server, None, 0
        if server is None:
            return
        for signum in (how, signal.SIGQUIT, signal.SIGKILL):
            server.send_signal(signum)
            try:
                server.wait(STOP_SECONDS)
                return
            except subprocess.TimeoutExpired:
                continue

    def delete(self) -> None:
        self.stop()
        shutil.rmtree(self.path, ignore_errors=True)
        self.log.unlink(missing_ok=True)
