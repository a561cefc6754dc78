"""Sockets around a Session: accepts the tool's connections on a loopback port, and leads each to the server.

One event loop in one thread. Flow control goes through: who reads slowly is sent to slowly. States of a
connection:

    greeting    the client's first packet is awaited; it may ask for TLS first, or be a cancel request
    joining     the server is connected to, with TLS verified where the target asks for it
    joined      bytes go both ways through the Session, until ``cut_when`` says that this is the moment to cut
    closed      either side is gone, and the other was sent what was left
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from neon_hooks.dsn import Dsn
from neon_hooks.recorder import wire
from neon_hooks.recorder.log import Peer, Recording
from neon_hooks.recorder.session import Session

CONNECT_TIMEOUT = 20.0  # seconds; a compute that wakes up takes several
HEAD_START = 0.25  # of one address of a host over its next (RFC 8305)
HIGH_WATER = 1 << 20  # bytes that wait to be written before the other side is no longer read
MakeSession = Callable[[Peer, Recording], Session]


@dataclass
class Relay:
    """What all connections share. ``tls`` is towards the server, ``certificate`` towards the tool. ``cut_when`` is
    asked before bytes are passed on, in either direction; once it has said yes, nothing passes any more.
    """

    target: Dsn
    make_session: MakeSession
    tls: ssl.SSLContext | None
    certificate: Callable[[], ssl.SSLContext | None]
    patience: float = CONNECT_TIMEOUT
    cut_when: Callable[[Recording], bool] | None = None
    recording: Recording = field(default_factory=Recording)
    open: set[_Side] = field(default_factory=set)
    is_closed: bool = False

    def accept(self) -> Client:
        peer = Peer(len(self.recording.peers) + 1, time.time())
        self.recording.peers.append(peer)
        return Client(self, peer)

    def is_cut(self) -> bool:
        """Whether nothing passes any more."""
        if self.cut_when and not self.is_closed and self.cut_when(self.recording):
            self.cut(for_good=True)
        return self.is_closed

    def cut(self, for_good: bool = False) -> None:
        self.is_closed |= for_good
        for side in list(self.open):
            side.abort()

    async def connect(self, protocol: Server) -> None:
        """Connect ``protocol`` to the server, as the target's sslmode demands. Raises OSError."""
        try:
            async with asyncio.timeout(self.patience):
                await self._connect(protocol)
        except BaseException:  # also when the tool has gone meanwhile
            protocol.abort()
            raise

    async def _connect(self, protocol: Server) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(
            lambda: protocol, self.target.host, self.target.port, happy_eyeballs_delay=HEAD_START
        )
        if self.tls:
            transport.write(wire.LENGTH.pack(8) + wire.LENGTH.pack(wire.SSL))
            said = await protocol.first_byte
            if said != b"S":  # more than the one byte would be plain text where TLS was promised
                raise OSError("the server does not offer TLS" if said[:1] in (b"N", b"E") else "this is no Postgres server")
            upgraded = await loop.start_tls(transport, protocol, self.tls, server_hostname=self.target.host)
            protocol.transport = cast(asyncio.Transport, upgraded)
        protocol.is_greeted = True
        protocol.transport.set_write_buffer_limits(high=HIGH_WATER)


class _Side(asyncio.Protocol):
    """What both ends have in common: a transport, and an opposite that is held back when it is full."""

    opposite: _Side | None = None
    transport: asyncio.Transport = None  # type: ignore[assignment]  # until connection_made

    def __init__(self, relay: Relay) -> None:
        self.relay = relay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.relay.open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.relay.open.discard(self)

    def pause_writing(self) -> None:
        if self.opposite and not self.opposite.transport.is_closing():
            self.opposite.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.opposite and not self.opposite.transport.is_closing():
            self.opposite.transport.resume_reading()

    def abort(self) -> None:
        if self.transport:
            self.transport.abort()


class Client(_Side):
    """The tool's end of a connection."""

    def __init__(self, relay: Relay, peer: Peer) -> None:
        super().__init__(relay)
        self.peer = peer
        self.session = relay.make_session(peer, relay.recording)
        self._first = b""
        self._task: asyncio.Task[None] | None = None
        self._is_joining = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        if self.relay.is_closed:
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.session.ended()
        if self._task:
            self._task.cancel()
        if self.opposite:
            self.opposite.transport.close()

    def data_received(self, data: bytes) -> None:
        if self.opposite:
            passed = self.session.from_client(data)
            if not self.relay.is_cut():
                self.opposite.transport.write(passed)
            return
        self._first += data
        if not self._is_joining:
            self._greet()

    def eof_received(self) -> bool:
        """A client may end its half and still wait for answers; the server ends when it has given them."""
        if self.opposite and self.opposite.transport.can_write_eof() and not self.peer.tls:
            self.opposite.transport.write_eof()
            return True
        return False

    def _greet(self) -> None:
        if len(self._first) < 8:
            return
        size, code = wire.LENGTH.unpack_from(self._first)[0], wire.LENGTH.unpack_from(self._first, 4)[0]
        if not 8 <= size <= wire.MAX_FIRST_PACKET:
            self.transport.close()
        elif code in (wire.SSL, wire.GSS):
            self._negotiate(code, self._first[8:])
        elif len(self._first) >= size:
            if code != wire.CANCEL and code >> 16 != wire.PROTOCOL_3:
                self.refuse("08P01", "this is not version 3 of the protocol")
                return
            self._is_joining = True
            self.transport.pause_reading()  # what is sent before the server is there is not heaped up here
            self._task = asyncio.ensure_future(self._join(size, code == wire.CANCEL))

    def _negotiate(self, code: int, more: bytes) -> None:
        context = self.relay.certificate() if code == wire.SSL else None
        if more:  # sent before TLS was agreed on: a classic way to smuggle in plain text
            self.transport.close()
        elif context is None:
            self._first = b""
            self.transport.write(b"N")
        else:
            self._first = b""
            self._is_joining = True
            self.transport.pause_reading()  # start_tls goes on with it
            self.transport.write(b"S")
            self._task = asyncio.ensure_future(self._encrypt(context))

    async def _encrypt(self, context: ssl.SSLContext) -> None:
        try:
            upgraded = await asyncio.get_running_loop().start_tls(
                self.transport, self, context, server_side=True
            )
        except OSError as error:  # SSLError is one
            self.peer.refused = f"the client does not take our certificate: {_reason(error)}"
            self.transport.abort()
            return
        self.transport = cast(asyncio.Transport, upgraded)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self.peer.tls = True
        self._is_joining = False
        if self._first:
            self._greet()

    async def _join(self, size: int, is_cancel: bool) -> None:
        server = Server(self)
        try:
            await self.relay.connect(server)
        except OSError as error:  # SSLError and TimeoutError are such
            self.peer.refused = _reason(error, self.relay.patience)
            self.refuse("08006", f"neon-hooks cannot connect to {self.relay.target.host}: {self.peer.refused}")
            return
        first, more = self._first[:size], self._first[size:]
        self._first = b""
        if is_cancel:
            self.relay.recording.cancels += 1
        else:
            self._introduce(first)
        server.transport.write(first)
        self.opposite = server
        if more and not is_cancel:
            self.data_received(more)
        self.transport.resume_reading()

    def _introduce(self, first: bytes) -> None:
        words = first[8:].split(b"\0")
        named = dict(zip(words[::2], words[1::2], strict=False))
        peer = self.peer
        peer.user = named.get(b"user", b"").decode("utf-8", "replace")
        peer.database = named.get(b"database", b"").decode("utf-8", "replace") or peer.user
        peer.application = named.get(b"application_name", b"").decode("utf-8", "replace")

    def refuse(self, sqlstate: str, text: str) -> None:
        self.transport.write(wire.error(sqlstate, text))
        self.transport.close()


class Server(_Side):
    """The server's end of a connection."""

    def __init__(self, client: Client) -> None:
        super().__init__(client.relay)
        self.opposite: Client = client
        self.first_byte: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.is_greeted = False

    def data_received(self, data: bytes) -> None:
        if self.is_greeted:
            session = self.opposite.session
            passed = session.from_server(data)
            if self.relay.is_cut():
                return
            self.opposite.transport.write(passed)
            answer = session.answer()
            if answer:
                self.transport.write(answer)
        elif not self.first_byte.done():
            self.first_byte.set_result(data)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if not self.first_byte.done():
            self.first_byte.set_result(b"")
        if self.is_greeted:  # else _join says what went wrong
            self.opposite.session.ended()
            self.opposite.transport.close()


def _reason(error: OSError, patience: float = CONNECT_TIMEOUT) -> str:
    """In words for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is refused: {error.verify_message}"
    if isinstance(error, TimeoutError) and not error.errno:
        return f"no answer within {patience:.0f} seconds"
    return str(error) or type(error).__name__
