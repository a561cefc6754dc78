"""The flight recorder: a proxy for Postgres' wire protocol between the project's tool and the server.

It listens on a loopback port, passes everything on as it is (session.py says what it adds and takes out),
and writes down what it sees. Knows the protocol and nothing else: no migrations, no SQL but for a few
command tags, no driver. What the recording means, trials/ find out.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from types import MappingProxyType, TracebackType
from typing import Any

from neon_hooks.dsn import Dsn
from neon_hooks.errors import UsageError
from neon_hooks.recorder.certificate import server_context
from neon_hooks.recorder.log import Exchange, Injection, Mark, Peer, Recording, Result
from neon_hooks.recorder.relay import CONNECT_TIMEOUT, Relay
from neon_hooks.recorder.looks import COUNT, SNAPSHOT
from neon_hooks.recorder.session import Session

__all__ = ["COUNT", "SNAPSHOT", "Exchange", "Injection", "Mark", "Peer", "Recorder", "Recording", "Result"]

LOOPBACK = "127.0.0.1"
LOCAL = (LOOPBACK, "localhost", "::1")
FEW = 5
STOP_TIMEOUT = 5.0  # seconds; the thread is a daemon and dies with the process in any case
# libpq's parameters about the way to the server: that way is ours now.
ABOUT_THE_WAY = (
    "sslmode sslcert sslkey sslpassword sslrootcert sslcrl sslcrldir sslsni sslnegotiation sslcertmode channel_binding"
    " hostaddr gssencmode ssl_min_protocol_version ssl_max_protocol_version require_auth target_session_attrs"
    " load_balance_hosts"
).split()
VERIFIED = ("require", "verify-ca", "verify-full")


class Recorder:
    """Context manager. Inside, ``dsn`` leads to the same database through the recorder.

    ``snapshot`` and ``count``: see Session. ``cut_when`` is asked, in a thread of its own, after each message that
    was written down and before it is passed on; once it says yes, all connections are cut and no new one is let
    through. ``patience``: seconds until a server that does not answer is given up. Raises OSError when no port
    can be listened on.
    """

    def __init__(
        self,
        target: Dsn,
        *,
        snapshot: str = "",
        count: Callable[[str], str] = lambda sql: "",
        cut_when: Callable[[Recording], bool] | None = None,
        patience: float = CONNECT_TIMEOUT,
    ) -> None:
        self._relay = Relay(
            target,
            lambda peer, recording: Session(peer, recording, snapshot=snapshot, count=count),
            client_context(target),
            cache(server_context),
            patience,
            cut_when,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="flight recorder", daemon=True)
        self._listening = threading.Event()
        self._failed: OSError | None = None
        self._port = 0
        self._stop: asyncio.Event | None = None

    @property
    def dsn(self) -> Dsn:
        """The connection string for the tool."""
        target = self._relay.target
        kept = {name: value for name, value in target.params.items() if name not in ABOUT_THE_WAY}
        params = {**kept, "sslmode": "disable"}
        return replace(target, host=LOOPBACK, port=self._port, params=MappingProxyType(params))

    @property
    def recording(self) -> Recording:
        return self._relay.recording

    def __enter__(self) -> Recorder:
        self._thread.start()
        self._listening.wait()
        if self._failed:
            raise self._failed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stop:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_TIMEOUT)

    def cut(self, *, for_good: bool = False) -> None:
        """Break every connection, as a network does that fails; ``for_good``: let no new one through."""
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._relay.cut, for_good)

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What asyncio would print as a traceback."""
        self.recording.troubles.append(str(context.get("exception") or context.get("message")))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(self._note)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._listening.set()
            self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        try:
            server = await self._loop.create_server(self._relay.accept, LOOPBACK, 0)
        except OSError as error:
            self._failed = error
            return
        self._port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stop.wait()
        server.close()
        joining = asyncio.all_tasks() - {asyncio.current_task()}
        for task in joining:
            task.cancel()
        await asyncio.gather(*joining, return_exceptions=True)
        for _ in range(FEW):  # connection_lost of those that were aborted; with TLS it takes some rounds
            await asyncio.sleep(0)
            self._relay.cut()


def client_context(target: Dsn) -> ssl.SSLContext | None:
    """TLS towards the server, always verified. None, plain text, only to this machine or where it is said."""
    mode = target.params.get("sslmode", "")
    if mode == "disable" or (mode not in VERIFIED and target.host in LOCAL):
        return None
    root = target.params.get("sslrootcert", "")
    try:
        context = ssl.create_default_context(cafile=root if root and root != "system" else None)
    except OSError as error:  # SSLError is one
        raise UsageError(
            f"sslrootcert={root} of the connection string cannot be used: {error.strerror or error}",
            fix="name a file of PEM certificates, or leave it out for this machine's own",
        ) from None
    if mode == "verify-ca":
        context.check_hostname = False
    return context
