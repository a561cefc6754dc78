"""A tap on a wire: passes bytes between a client and a server, and keeps what the client was sent.

The oracle for "byte-identical": it shares no code with the recorder, and knows no more of the protocol than
where a message begins.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from types import TracebackType

from neon_hooks.dsn import Dsn

# What differs from one run to the next on the same server: process ids and keys, the nonces of a login.
VOLATILE = {ord("K"): b"a process and its key", ord("A"): b"a process and what it says"}


class Tap:
    """Inside, ``dsn`` leads to ``target``; ``received`` is what each connection's client got."""

    def __init__(self, target: Dsn) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.received: list[bytearray] = []
        self.dsn = replace(target, host="127.0.0.1", port=self._listener.getsockname()[1])

    def __enter__(self) -> Tap:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept up
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _start(self, work: Callable[..., None], *values: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=values, daemon=True)
        thread.start()
        self._threads.append(thread)
        return thread

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                kept = bytearray()
                self.received.append(kept)
                self._start(self._serve, client, kept)

    def _serve(self, client: socket.socket, kept: bytearray) -> None:
        with client, socket.create_connection((self._target.host, self._target.port)) as server:
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            upwards = self._start(_pump, client, server, bytearray())
            _pump(server, client, kept)
            upwards.join(10)

    def said(self) -> list[list[tuple[str, bytes]]]:
        """The messages of the server on each connection that came to a login, without what is volatile."""
        return [list(messages(bytes(kept))) for kept in self.received if kept[:1] == b"R"]


def _pump(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            kept += data
            sink.sendall(data)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def messages(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(type, body) of each; the OIDs of tables, and the rounds of a login, are blanked."""
    position = 0
    while position < len(data):
        kind, (length,) = data[position], struct.unpack_from(">I", data, position + 1)
        body = data[position + 5 : position + 1 + length]
        position += 1 + length
        if kind == ord("T"):
            body = _without_oids(body)
        elif kind == ord("R") and body[:4] in (b"\0\0\0\x0b", b"\0\0\0\x0c"):
            body = body[:4]
        yield chr(kind), VOLATILE.get(kind, body)


def _without_oids(body: bytes) -> bytes:
    """A RowDescription (manual, section 55.7) with 0 for the table that a column is of."""
    out, position = bytearray(body), 2
    for _ in range(struct.unpack_from(">H", body)[0]):
        position = body.index(b"\0", position) + 1
        out[position : position + 4] = b"\0\0\0\0"
        position += 18
    return bytes(out)
