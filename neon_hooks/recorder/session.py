"""One connection between tool and server, as a state machine without sockets: bytes in, bytes out.

What the tool sends goes to the server unchanged, what the server answers goes back unchanged, but for
three things: SCRAM with channel binding is not offered (wire.without_plus), notices of the watchers are
taken out, and where it is safe a query of ours is put in front of the client's next message, whose answer
the client never sees.

States, by what the server still owes (``_owed``, oldest first):

    login      until the first ReadyForQuery: nothing is put in
    settled    nothing is owed and the client is between two messages: the only place for a query of ours,
               and only when a transaction block is open (T) or none is (I), never in a failed one (E)
    busy       anything else: bytes pass, answers are matched with what they answer
    blind      these bytes cannot be understood: they pass, and nothing is recorded or put in any more

Putting our query *in front of* the client's next message instead of waiting for its answer costs no round
trip. It runs as a named statement and portal, because a simple Query would destroy the client's unnamed
ones, and inside a savepoint, so that its failure would not be the client's.
"""

from __future__ import annotations

import re
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from neon_hooks.recorder import wire
from neon_hooks.recorder.log import Exchange, Injection, Mark, Peer, Recording, Result
from neon_hooks.recorder.stream import Stream
from neon_hooks.recorder.wire import LENGTH, ProtocolError

MARK = b"NH001"  # the SQLSTATE of what the watchers say
NAME = "neon_hooks"  # of our statements, portals and savepoints

SNAPSHOT, COUNT = "snapshot", "count"
# Snapshots may take this share of a connection's time, plus an allowance for short runs.
SHARE, ALLOWANCE = 0.03, 0.05
QUIET = 0.005  # seconds; a SELECT that is quicker takes no lock that is worth a look
NO_LOCKS = {
    "BEGIN", "START TRANSACTION", "SET", "RESET", "SHOW", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "DEALLOCATE",
    "PREPARE", "LISTEN", "UNLISTEN", "NOTIFY", "DISCARD", "SET CONSTRAINTS", "CLOSE CURSOR", "DECLARE CURSOR", "FETCH",
}  # fmt: skip
ENDS = re.compile(r"\s*(?:commit|end)\b", re.IGNORECASE)

Q, P, B, E, D, C, S, F = (ord(c) for c in "QPBEDCSF")
COPY_DATA, COPY_DONE, COPY_FAIL, FLUSH, TERMINATE, PASSWORD = (ord(c) for c in "dcfHXp")
READ_OF_CLIENT = frozenset((Q, P, B, E, C))
PASSED_OF_CLIENT = frozenset((COPY_DATA, FLUSH, PASSWORD, TERMINATE))
DATA_ROW, READY, COMPLETE, ERROR, NOTICE, AUTH, KEY, EMPTY, SUSPENDED = (ord(c) for c in "DZCENRKIs")
COPY_IN, COPY_BOTH, STATUS, NOTIFICATION = (ord(c) for c in "GWSA")
PASSED_OF_SERVER = frozenset((DATA_ROW, COPY_DATA))
ANSWERS = {ord("1"): P, ord("2"): B, ord("3"): C, ord("T"): D, ord("n"): D, COMPLETE: E, EMPTY: E, SUSPENDED: E}
SELF_CONTAINED = frozenset((Q, F, S))  # answered with a ReadyForQuery


@dataclass
class Owed:
    """A message whose answer has not come. ``ours`` counts with an Injection."""

    kind: int
    exchange: Exchange | None = None
    ours: Injection | None = None


class Session:
    """``snapshot`` is the query put in to see locks, "" for never; ``count`` makes one from a statement that
    could take data away ("" for any other statement).
    """

    def __init__(
        self,
        peer: Peer,
        recording: Recording,
        *,
        snapshot: str = "",
        count: Callable[[str], str] = lambda sql: "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.peer = peer
        self._recording = recording
        self._snapshot = snapshot
        self._count = count
        self._clock = clock
        self._owed: deque[Owed] = deque()
        self._status = ""
        self._prepared: dict[str, str] = {}
        self._portals: dict[str, tuple[str, str]] = {}
        self._copying_in = False
        self._running: Exchange | None = None
        self._looks_due = False  # something happened since the last snapshot
        self._counted = ""
        self._spent = 0.0
        self._free = 0.0  # since when the server had nothing else to do
        self._put: list[Injection] = []  # not assigned to an exchange yet
        self._client = Stream(self._of_client, PASSED_OF_CLIENT)
        self._server = Stream(self._of_server, PASSED_OF_SERVER, self._is_ours)

    def from_client(self, data: bytes) -> bytes:
        """What goes to the server for ``data``."""
        return self._guarded(self._client, data)

    def from_server(self, data: bytes) -> bytes:
        """What goes to the client for ``data``."""
        return self._guarded(self._server, data)

    def ended(self) -> None:
        """The connection is gone: what was running stays without an end."""
        self.peer.closed = self.peer.closed or self._clock()

    def _is_ours(self) -> bool:
        return bool(self._owed) and self._owed[0].ours is not None

    @property
    def is_settled(self) -> bool:
        return not self._owed and not self._copying_in and self._status in ("I", "T")

    def _guarded(self, stream: Stream, data: bytes) -> bytes:
        if self.peer.blind:
            return stream.rest() + data
        try:
            return stream.feed(data)
        except (ProtocolError, ValueError, IndexError, struct.error) as error:
            self.peer.blind = str(error) or type(error).__name__
            return stream.rest()

    # What the client sends.

    def _of_client(self, kind: int, body: bytes, whole: bool) -> bytes | None:
        if not self._status:  # login
            return None
        ours = b""
        if self.is_settled and kind in READ_OF_CLIENT:
            ours = self._before(self._sql(kind, body))
        if kind == Q:
            self._owe(Q, self._exchange(wire.text_of(body), "", simple=True, whole=whole))
        elif kind == P:
            (name, sql), _ = wire.texts(body, 2) if whole else ([wire.text_of(body), _second(body)], b"")
            self._prepared[name] = sql
            self._owe(P, self._exchange(sql, "", simple=False, whole=whole, kept=False))
        elif kind == B:
            portal, name, parameters = wire.parameters(body) if whole else (*_names(body), "...")
            self._portals[portal] = (self._prepared.get(name, ""), parameters)
            self._owe(B, self._exchange(*self._portals[portal], simple=False, kept=False))
        elif kind == E:
            sql, parameters = self._portals.get(wire.text_of(body), ("", ""))
            self._owe(E, self._exchange(sql, parameters, simple=False))
        elif kind == S:
            if not self._copying_in:  # ignored by the server then (section 55.2.6)
                self._owe(S)
        elif kind in (D, C, F):
            self._owe(kind)
        elif kind in (COPY_DONE, COPY_FAIL):
            self._copying_in = False
        return ours + wire.message(bytes((kind,)), body) if ours and whole else ours or None

    def _sql(self, kind: int, body: bytes) -> str:
        if kind == Q:
            return wire.text_of(body)
        if kind == P:
            return _second(body)
        if kind == B:
            return self._prepared.get(_names(body)[1], "")
        return self._portals.get(wire.text_of(body), ("", ""))[0] if kind == E else ""

    def _exchange(
        self, sql: str, params: str, *, simple: bool, whole: bool = True, kept: bool = True
    ) -> Exchange:
        made = Exchange(
            self.peer.number, sql, self._clock(), self._status, params=params, simple=simple, cut=not whole
        )
        if kept:
            self._keep(made)
        return made

    def _keep(self, exchange: Exchange) -> None:
        self._recording.exchanges.append(exchange)
        for injection in self._put:
            injection.before = exchange
        self._put = []

    def _owe(self, kind: int, exchange: Exchange | None = None, ours: Injection | None = None) -> None:
        self._owed.append(Owed(kind, exchange, ours))

    # What we put in.

    def _before(self, sql: str) -> bytes:
        """Our queries in front of ``sql``, "" for none. Only called when the session is settled."""
        queries: list[tuple[str, str]] = []
        if self._snapshot and self._status == "T" and self._looks_due and self._may_look(sql):
            self._looks_due = False
            queries.append((SNAPSHOT, self._snapshot))
        counting = self._count(sql) if sql and sql != self._counted else ""
        if counting:
            self._counted = sql  # not once more when it is executed in a later message
            queries.append((COUNT, counting))
        return b"".join(self._put_in(purpose, query) for purpose, query in queries)

    def _may_look(self, sql: str) -> bool:
        """Within the budget; the last look before the locks are released may cost twice."""
        lived = self._clock() - self.peer.opened
        return self._spent <= ALLOWANCE + SHARE * lived * (2 if ENDS.match(sql) else 1)

    def _put_in(self, purpose: str, query: str) -> bytes:
        injection = Injection(self.peer.number, purpose, None, self._clock())
        self._recording.injections.append(injection)
        self._put.append(injection)
        steps = [query]
        if self._status == "T":
            steps = [f"savepoint {NAME}", query, f"rollback to savepoint {NAME}", f"release savepoint {NAME}"]
        for _ in steps:
            self._owe(S, ours=injection)
        return b"".join(wire.execution(step, NAME) for step in steps)

    # What the server answers.

    def _of_server(self, kind: int, body: bytes, whole: bool) -> bytes | None:
        """None: pass it on as it is; b"" takes it out."""
        if kind == NOTICE:
            return self._notice(body)
        if self._owed and self._owed[0].ours and kind not in (STATUS, NOTIFICATION):
            self._ours(self._owed[0].ours, kind, body)
            return b""
        if kind == READY:
            self._ready(chr(body[0]) if body else "")
        elif kind == ERROR:
            self._error(body)
        elif kind in ANSWERS:
            self._answered(kind, body)
        elif kind in (COPY_IN, COPY_BOTH):
            self._copying_in = True
            # Syncs that the client sent along are read, and ignored, while the server waits for data.
            self._owed = deque(o for number, o in enumerate(self._owed) if not number or o.kind != S)
        elif kind == AUTH and body[:4] == b"\0\0\0\x0a" and wire.SCRAM_PLUS in body:
            return wire.message(b"R", wire.without_plus(body))
        elif kind == KEY and len(body) >= 4:
            (self.peer.pid,) = LENGTH.unpack_from(body)
        return None

    def _notice(self, body: bytes) -> bytes | None:
        if not wire.has_sqlstate(body, MARK):
            running = self._current()
            if running:
                running.notices.append(wire.fields(body))
            return None
        text = wire.fields(body).get("message", "")
        self._recording.marks.append(Mark(self._current(), self.peer.number, self._clock(), text))
        return b""

    def _current(self) -> Exchange | None:
        return next((owed.exchange for owed in self._owed if owed.exchange or owed.ours), None)

    def _ours(self, injection: Injection, kind: int, body: bytes) -> None:
        if kind == DATA_ROW:
            injection.text = wire.first_value(body)
        elif kind == ERROR:
            injection.failed = injection.failed or wire.fields(body).get("message", "?")
        elif kind == READY:
            self._owed.popleft()
            injection.answered = self._free = self._clock()
            if not self._is_ours() or self._owed[0].ours is not injection:
                self._spent += injection.answered - injection.sent

    def _ready(self, status: str) -> None:
        now = self._clock()
        while self._owed and self._owed[0].kind not in SELF_CONTAINED:
            self._owed.popleft()
        if not self._owed and self._status:
            raise ProtocolError("a ReadyForQuery that nobody asked for")
        owed = self._owed.popleft() if self._owed else None
        if owed and owed.exchange:
            self._end(owed.exchange, now, status)
        elif self._running:
            self._running.after = status
        if status == "I" and self._status and (self._status != "I" or (owed and owed.exchange) or self._running):
            self._recording.transaction_ends.append((self.peer.number, now, self._committed(owed)))
            self._portals.clear()
            self._looks_due = False
        self._status, self._free = status, now
        self._running = None
        self._copying_in = False

    def _committed(self, owed: Owed | None) -> bool:
        last = (owed.exchange if owed else None) or self._running
        return not last or not (last.error or (last.results and last.results[-1].tag == "ROLLBACK"))

    def _answered(self, kind: int, body: bytes) -> None:
        owed = self._owed[0] if self._owed else None
        if owed and owed.kind == Q and owed.exchange:
            if kind in (COMPLETE, EMPTY):
                self._result(owed.exchange, kind, body)
            return
        wanted = ANSWERS[kind]
        if wanted == E:
            while self._owed and self._owed[0].kind not in (E, *SELF_CONTAINED):
                self._owed.popleft()
        if self._owed and self._owed[0].kind == wanted:
            answered = self._owed.popleft().exchange
            if wanted == E and answered:
                self._result(answered, kind, body)
                self._end(answered, self._clock(), "")
                self._running = answered

    def _result(self, exchange: Exchange, kind: int, body: bytes) -> None:
        tag, rows = wire.tag_and_rows(body) if kind == COMPLETE else ("", None)
        self._begin(exchange)
        began, self._free, self._counted = self._free or exchange.started, self._clock(), ""
        exchange.results.append(Result(tag, rows, self._free))
        if tag not in NO_LOCKS and (tag != "SELECT" or self._free - began > QUIET):
            self._looks_due = True

    def _begin(self, exchange: Exchange) -> None:
        if not exchange.results:
            exchange.started = max(exchange.started, self._free)

    def _error(self, body: bytes) -> None:
        words = wire.fields(body)
        if not self._status:
            self.peer.refused = words.get("message", "")
            return
        owed = next((o for o in self._owed if o.exchange), None)
        if owed is None or owed.exchange is None:
            return
        exchange = owed.exchange
        exchange.error = words
        if owed.kind in (P, B):  # never came to an Execute of its own
            follow = next((o.exchange for o in self._owed if o.kind == E), None)
            if follow and follow.sql == exchange.sql:
                follow.error = words
                exchange = follow
            else:
                self._keep(exchange)
        if owed.kind != Q:
            self._end(exchange, self._clock(), "")
            self._running = exchange
            self._discard()

    def _discard(self) -> None:
        """After an error the server reads on to the next Sync; what it skips was never executed."""
        while self._owed and self._owed[0].kind not in SELF_CONTAINED:
            skipped = self._owed.popleft().exchange
            if skipped and not skipped.ended and not skipped.error:
                skipped.skipped = True

    def _end(self, exchange: Exchange, now: float, status: str) -> None:
        exchange.ended = exchange.ended or now
        exchange.after = status or exchange.after


def _second(body: bytes) -> str:
    """The second text of a message that may be cut."""
    return wire.text_of(body.partition(b"\0")[2])


def _names(body: bytes) -> tuple[str, str]:
    return wire.text_of(body), _second(body)
