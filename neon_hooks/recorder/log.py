"""What went over the wire: plain data that the session writes and the trials read.

All times are seconds of this machine's wall clock (time.time()), taken when the bytes passed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Characters of SQL that are kept of a run, and of a statement when they are full: a seed of data can be
# larger than this machine's memory, and tells nothing after its first lines.
ROOM, BEGINNING = 256 << 20, 1000


@dataclass(slots=True)
class Result:
    """One command of an exchange that has ended. ``rows`` None: its tag has no count."""

    tag: str
    rows: int | None
    at: float


@dataclass(eq=False, slots=True)
class Exchange:
    """One Query, or one Execute of the extended protocol, with what came back.

    A Query can hold several statements, each with a Result; the one after the last result failed if there
    is an ``error``. ``before`` and ``after`` are the transaction status (I idle, T in a block, E failed,
    "" unknown). ``ended`` is 0 while the answer has not come. ``started``: when it was sent, or when the server
    was through with what was sent before it.
    """

    connection: int
    sql: str
    started: float
    before: str
    params: str = ""
    simple: bool = True
    ended: float = 0.0
    after: str = ""
    results: list[Result] = field(default_factory=list)
    error: Mapping[str, str] | None = None
    notices: list[Mapping[str, str]] = field(default_factory=list)
    cut: bool = False  # the text was longer than what is kept
    skipped: bool = False  # never executed: the server skipped it after an error


@dataclass(slots=True)
class Mark:
    """What a watcher in the database said while ``exchange`` ran; stripped from the client's stream."""

    exchange: Exchange | None
    connection: int
    at: float
    text: str


@dataclass(eq=False, slots=True)
class Injection:
    """A query of ours in the client's session, before ``before`` was sent. ``purpose``: see session.py.

    ``text`` is its first value, "" if there was none; ``failed`` are the words of the server if it refused.
    """

    connection: int
    purpose: str
    before: Exchange | None
    sent: float
    answered: float = 0.0
    text: str = ""
    failed: str = ""


@dataclass
class Peer:
    """One connection of the tool. ``pid`` is the server process (BackendKeyData), 0 before login.

    ``blind`` says why the protocol could not be followed from some point on, "" if it could.
    """

    number: int
    opened: float
    pid: int = 0
    database: str = ""
    user: str = ""
    application: str = ""
    tls: bool = False
    closed: float = 0.0
    blind: str = ""
    refused: str = ""


@dataclass
class Recording:
    """Everything that was seen, in the order in which it happened.

    ``transaction_ends``: (connection, when, committed). ``troubles``: what went wrong in the recorder itself.
    """

    peers: list[Peer] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    injections: list[Injection] = field(default_factory=list)
    transaction_ends: list[tuple[int, float, bool]] = field(default_factory=list)
    cancels: int = 0
    troubles: list[str] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict)
    _size: int = 0

    def kept(self, sql: str) -> tuple[str, bool]:
        """``sql`` once for all that execute it, and whether it had to be cut for want of room."""
        known = self._texts.get(sql)
        if known is not None:
            return known, False
        if self._size + len(sql) > ROOM:
            return sql[:BEGINNING], len(sql) > BEGINNING
        self._size += len(sql)
        return self._texts.setdefault(sql, sql), False
