"""All the Postgres clusters of one emulator, by the name of their timeline.

What it offers is what Neon's storage and computes offer: a copy of a timeline as of now, a compute
started and stopped, SQL as the superuser. It knows no Neon database branch and no operation.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import threading
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from neon_hooks.database.connect import Connection, connect
from neon_hooks.emulator import extensions, sql
from neon_hooks.emulator.binaries import Binaries
from neon_hooks.emulator.copying import copy_directory, copy_running
from neon_hooks.emulator.home import Home
from neon_hooks.emulator.postgres import ADDRESS, ADMIN, Cluster, Port
from neon_hooks.emulator.template import OWNER, admin_dsn, forget, make_cluster
from neon_hooks.errors import Unavailable


class Fleet:
    """``admin_password`` is the superuser's on every cluster; it never leaves this process."""

    def __init__(self, home: Home, binaries: Binaries, admin_password: str = "") -> None:
        self.home = home
        self.binaries = binaries
        self.admin_password = admin_password
        self._clusters: dict[str, Cluster] = {}
        self._ports: dict[str, Port] = {}
        self._busy: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._closed = False
        self._settings = extensions.prepare(home, binaries)

    def found(self, timeline: str) -> bool:
        return self._cluster(timeline).path.is_dir()

    def _cluster(self, timeline: str) -> Cluster:
        return self._clusters.setdefault(timeline, Cluster(self.home, self.binaries, timeline))

    @contextmanager
    def _awaiting(self, timeline: str) -> Iterator[Cluster]:
        """The cluster, for one thread at a time. Raises Unavailable once the emulator is closed."""
        with self._busy[timeline]:
            cluster = self._cluster(timeline)
            if self._closed or not cluster.path.is_dir():
                raise Unavailable("the emulator is closed" if self._closed else "this timeline was deleted")
            yield cluster

    def keep_only(self, timelines: Collection[str]) -> None:
        """Remove what an emulator that was killed left half-made, and pid files of servers that are gone."""
        for file in self.home.clusters.glob("*/postmaster.pid"):
            if not Path(f"/proc/{file.read_text().split()[0]}").exists() and Path("/proc/self").exists():
                file.unlink()
        for path in self.home.clusters.iterdir():
            if path.name in (*timelines, extensions.DIRECTORY):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def create_first(self, timeline: str, owner_password: str) -> int:
        """Start a new cluster with ``neondb`` and its owner; its port. Raises Unavailable."""
        self.admin_password = secrets.token_urlsafe(24)
        cluster, password = make_cluster(self.home, self.binaries, timeline)
        self._clusters[timeline] = cluster
        try:
            port = self.start(timeline, self.reserve(timeline))
        except Unavailable:
            if not forget(self.binaries):
                raise
            cluster.delete()
            cluster, password = make_cluster(self.home, self.binaries, timeline)
            self._clusters[timeline] = cluster
            port = self.start(timeline, self.reserve(timeline))
        with connect(admin_dsn(port, password)) as connection:
            sql.set_password(connection, OWNER, owner_password)
            sql.set_password(connection, ADMIN, self.admin_password)
        return port

    def reserve(self, timeline: str, number: int = 0) -> int:
        """A port that nobody else will get until ``start``; ``number`` if it is free."""
        if timeline not in self._ports:
            self._ports[timeline] = Port(number)
        return self._ports[timeline].number

    def hand_port_over(self, old: str, new: str) -> None:
        """The compute of ``old`` serves ``new`` from now on."""
        if old in self._ports:
            self._ports[new] = self._ports.pop(old)

    def start(self, timeline: str, port: int) -> int:
        """Start the compute and return its port: ``port``, or another one if it is taken."""
        with self._awaiting(timeline) as cluster:
            if cluster.running:
                return cluster.port
            self.reserve(timeline, port)
            held = self._ports[timeline]
            held.release()
            try:
                cluster.start(held.number, *self._settings)
            except Unavailable as error:
                if "could not create any TCP/IP sockets" not in error.message:
                    held.hold()
                    raise
                held = self._ports[timeline] = Port()
                held.release()
                cluster.start(held.number, *self._settings)
            return cluster.port

    def stop(self, timeline: str) -> None:
        """Suspend the compute: every session ends, nothing is lost, the port stays reserved."""
        with self._busy[timeline]:
            self._cluster(timeline).stop()
            if timeline in self._ports:
                self._ports[timeline].hold()

    def release(self, timeline: str) -> None:
        """There is no compute for this timeline any more."""
        with self._busy[timeline]:
            self._cluster(timeline).stop()
            port = self._ports.pop(timeline, None)
            if port:
                port.release()

    def copy(self, source: str, target: str) -> None:
        """``target`` becomes ``source`` as of now. Leaves nothing when it cannot."""
        with self._busy[source]:
            origin, copy = self._cluster(source), self._cluster(target)
            try:
                if not origin.running:
                    copy_directory(origin.path, copy.path)
                    return
                with self.session(source) as connection:
                    copy_running(origin.path, copy.path, connection, self.binaries.major)
            except BaseException:
                self.delete(target)
                raise

    def delete(self, timeline: str) -> None:
        with self._busy[timeline]:
            self.release(timeline)
            self._cluster(timeline).delete()
            del self._clusters[timeline]

    @contextmanager
    def session(self, timeline: str, database: str = ADMIN) -> Iterator[Connection]:
        """SQL as the superuser; a cluster that does not run is started for as long as it takes."""
        with self.awake(timeline) as port:
            with connect(admin_dsn(port, self.admin_password, database)) as connection:
                yield connection

    @contextmanager
    def awake(self, timeline: str) -> Iterator[int]:
        """The port of the running cluster."""
        with self._awaiting(timeline) as cluster:
            if cluster.running:
                yield cluster.port
                return
            own = Port()
            own.release()
            cluster.start(own.number, *self._settings)
            try:
                yield own.number
            finally:
                cluster.stop()

    def dump_schema(self, timeline: str, database: str) -> str:
        """``pg_dump --schema-only``, without what differs from run to run. Raises Unavailable."""
        with self.awake(timeline) as port:
            arguments = ["-h", ADDRESS, "-p", str(port), "-U", ADMIN, "-w", "--schema-only", database]
            dump = self._cluster(timeline).run("pg_dump", *arguments, password=self.admin_password)
        # \\restrict and \\unrestrict carry a random key (release notes of 18.0 and its siblings).
        kept = [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
        return "\n".join(kept).strip("\n") + "\n"

    def close(self) -> None:
        """Stop every server; quickly when its data will be gone anyway."""
        self._closed = True
        how = signal.SIGQUIT if self.home.temporary else signal.SIGINT

        for timeline in list(self._clusters):
            with self._busy[timeline]:
                self._cluster(timeline).ask_to_stop(how)
        for cluster in list(self._clusters.values()):
            cluster.stop(how)
        for port in self._ports.values():
            port.release()
