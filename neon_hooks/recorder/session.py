"""One connection between tool and server, as a state machine without sockets: bytes in, bytes out.

What the tool sends goes to the server unchanged, what the server answers goes back unchanged, but for
three things: SCRAM with channel binding is not offered (login.py), notices of the watchers are taken out,
and where it is safe a query of ours is put in front of the client's next message, whose answer the client
never sees.

States, by what the server still owes (ledger.py):

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
import time
from collections.abc import Callable

from neon_hooks.recorder import wire
from neon_hooks.recorder.ledger import ANSWERS, COMPLETE, COPY_DONE, COPY_FAIL, EMPTY, B, C, D, E, F, Ledger, P, Q, S
from neon_hooks.recorder.log import Exchange, Injection, Mark, Peer, Recording, Result
from neon_hooks.recorder.login import Login
from neon_hooks.recorder.looks import Looks
from neon_hooks.recorder.stream import Stream
from neon_hooks.recorder.wire import LENGTH, ProtocolError

MARK = b"NH001"  # the SQLSTATE of what the watchers say
NAME = "neon_hooks"  # of our statements, portals and savepoints
CHAIN = re.compile(r"\band\s+chain\b", re.IGNORECASE)

COPY_DATA, FLUSH, TERMINATE, PASSWORD = (ord(c) for c in "dHXp")
READ_OF_CLIENT = frozenset((Q, P, B, E, C))
PASSED_OF_CLIENT = frozenset((COPY_DATA, FLUSH, PASSWORD, TERMINATE))
OWED = frozenset((Q, P, B, E, D, C, F, S, COPY_DONE, COPY_FAIL))
DATA_ROW, READY, ERROR, NOTICE, AUTH, KEY, COPY_IN, COPY_BOTH, STATUS, NOTIFICATION = (ord(c) for c in "DZENRKGWSA")
PASSED_OF_SERVER = frozenset((DATA_ROW, COPY_DATA))


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
        self._clock = clock
        self._status = ""
        self._login = Login(peer)
        self._ledger = Ledger()
        self._looks = Looks(snapshot, count, peer.opened)
        self._prepared: dict[str, str] = {}
        self._portals: dict[str, tuple[str, str]] = {}
        self._running: Exchange | None = None  # the last of the extended protocol that no ReadyForQuery ended
        self._is_dirty = False  # something ran since the last end of a transaction
        self._free = 0.0  # since when the server had nothing else to do
        self._put: list[Injection] = []  # not assigned to an exchange yet
        self._client = Stream(self._of_client, PASSED_OF_CLIENT, lambda: self._login.is_ours)
        self._server = Stream(self._of_server, PASSED_OF_SERVER, lambda: bool(self._ledger.ours), {NOTICE})

    def from_client(self, data: bytes) -> bytes:
        """What goes to the server for ``data``."""
        if self.peer.blind:
            return self._client.rest() + data
        return self._guarded(self._client, data)

    def from_server(self, data: bytes) -> bytes:
        """What goes to the client for ``data``. Then ``answer`` may have something for the server."""
        if self.peer.blind and not self._ledger.ours:
            return self._server.rest() + data
        return self._guarded(self._server, data)

    def answer(self) -> bytes:
        """What goes to the server although the client has not said it."""
        answer, self._login.answer = self._login.answer, b""
        return answer

    def ended(self) -> None:
        """The connection is gone: what was running stays without an end."""
        self.peer.closed = self.peer.closed or self._clock()

    def _guarded(self, stream: Stream, data: bytes) -> bytes:
        """Whatever goes wrong here is our loss of sight, never the tool's loss of a connection."""
        try:
            return stream.feed(data)
        except ProtocolError as error:
            self.peer.blind = str(error)
        except Exception as error:
            self.peer.blind = f"{type(error).__name__}: {error}"
            self._recording.troubles.append(self.peer.blind)
        self._ledger.forget()
        return stream.rest()

    # What the client sends.

    def _of_client(self, kind: int, body: bytes, whole: bool) -> bytes | None:
        if kind == PASSWORD:
            return self._login.of_client(body)
        if kind not in OWED:
            return None
        ours = b""
        if kind in READ_OF_CLIENT and self._ledger.is_settled and self._status in ("I", "T"):
            ours = self._before(self._sql(kind, body))
        self._ledger.sent(kind, self._exchange(kind, body, whole))
        if not ours:
            return None
        return ours + wire.message(bytes((kind,)), body) if whole else ours

    def _sql(self, kind: int, body: bytes) -> str:
        """The SQL that a message is about; it need not be whole."""
        if kind == Q:
            return wire.text_of(body)
        if kind == P:
            return wire.two_texts(body)[1]
        if kind == B:
            return self._prepared.get(wire.two_texts(body)[1], "")
        return self._portals.get(wire.text_of(body), ("", ""))[0] if kind == E else ""

    def _exchange(self, kind: int, body: bytes, whole: bool) -> Exchange | None:
        """What a message begins, and the names that it gives."""
        if kind == C:
            name = wire.text_of(body[1:])
            _ = self._prepared.pop(name, "") if body[:1] == b"S" else self._portals.pop(name, "")
        if kind not in (Q, P, B, E):
            return None
        sql, params = self._sql(kind, body), ""
        if kind == B:
            portal, _, params = wire.parameters(body) if whole else (*wire.two_texts(body), "...")
            self._portals[portal] = sql, params
        elif kind == E:
            params = self._portals.get(wire.text_of(body), ("", ""))[1]
        sql, cut = self._recording.kept(sql)
        if kind == P:
            self._prepared[wire.text_of(body)] = sql
        made = Exchange(
            self.peer.number, sql, self._clock(), self._status,
            params=params, simple=kind == Q, cut=cut or (kind in (Q, P) and not whole),
        )  # fmt: skip
        if kind in (Q, E):
            self._keep(made)
        return made

    def _keep(self, exchange: Exchange) -> None:
        self._recording.exchanges.append(exchange)
        for injection in self._put:
            injection.before = exchange
        self._put = []

    # What we put in.

    def _before(self, sql: str) -> bytes:
        """Our queries in front of ``sql``, "" for none. Only called when the session is settled."""
        queries = self._looks.before(sql, self._status, self._clock())
        return b"".join(self._put_in(purpose, query) for purpose, query in queries)

    def _put_in(self, purpose: str, query: str) -> bytes:
        injection = Injection(self.peer.number, purpose, None, self._clock())
        self._recording.injections.append(injection)
        self._put.append(injection)
        rounds: list[tuple[str, ...]] = [(query,)]
        if self._status == "T":  # what comes after a failure is skipped up to the next Sync: hence two
            rounds = [(f"savepoint {NAME}", query), (f"rollback to savepoint {NAME}", f"release savepoint {NAME}")]
        for _ in rounds:
            self._ledger.put_in(injection)
        return b"".join(wire.executions(steps, NAME) for steps in rounds)

    # What the server answers.

    def _of_server(self, kind: int, body: bytes, whole: bool) -> bytes | None:
        """None: pass it on as it is; b"" takes it out."""
        ours = self._ledger.ours
        if ours and kind not in (STATUS, NOTIFICATION):
            return self._ours(ours, kind, body)
        if self.peer.blind:
            return None
        if kind == NOTICE:
            return self._notice(body)
        if kind == READY:
            self._ready(chr(body[0]) if body else "")
        elif kind == ERROR:
            self._error(body)
        elif kind in ANSWERS:
            self._answered(kind, body)
        elif kind == COPY_IN:
            self._ledger.wants_data()
        elif kind == COPY_BOTH:
            raise ProtocolError("replication is not followed")
        elif kind == AUTH:
            return self._login.of_server(body)
        elif kind == KEY and len(body) >= 4:
            (self.peer.pid,) = LENGTH.unpack_from(body)
        return None

    def _ours(self, injection: Injection, kind: int, body: bytes) -> bytes | None:
        if kind == DATA_ROW:
            injection.text = wire.first_value(body)
        elif kind == ERROR:
            words = wire.fields(body)
            injection.failed = injection.failed or words.get("message", "?")
            if words.get("severity") in ("FATAL", "PANIC"):  # the end of the connection is the client's too
                return None
        elif kind == READY:
            self._ledger.ready()
            injection.answered = self._free = self._clock()
            if self._ledger.ours is not injection:
                self._looks.took(injection.answered - injection.sent)
        return b""

    def _current(self) -> Exchange | None:
        return self._ledger.exchange or self._running

    def _notice(self, body: bytes) -> bytes | None:
        running = self._current()
        if not wire.has_sqlstate(body, MARK):
            if running:
                running.notices.append(wire.fields(body))
            return None
        text = wire.fields(body).get("message", "")
        self._recording.marks.append(Mark(running, self.peer.number, self._clock(), text))
        return b""

    def _ready(self, status: str) -> None:
        before, self._status, now = self._status, status, self._clock()
        if before:
            owed = self._ledger.ready()
            last = owed.exchange or self._running
            if owed.exchange:
                owed.exchange.ended = now
            if last:
                last.after = status
            if status == "I" and self._is_dirty:
                self._transaction_ended(now, not last or not (last.error or _was_rolled_back(last)))
            if status == "I" and self._ledger.is_settled:
                self._portals.clear()
        self._free = now
        self._running = None

    def _transaction_ended(self, now: float, committed: bool) -> None:
        self._recording.transaction_ends.append((self.peer.number, now, committed))
        self._looks.transaction_ended()
        self._is_dirty = False

    def _answered(self, kind: int, body: bytes) -> None:
        owed = self._ledger.answered(kind)
        if owed is None or owed.exchange is None or ANSWERS[kind] != E:
            return
        self._result(owed.exchange, kind, body)
        if owed.kind == E:
            owed.exchange.ended = self._free
            self._running = owed.exchange

    def _result(self, exchange: Exchange, kind: int, body: bytes) -> None:
        tag, rows = wire.tag_and_rows(body) if kind == COMPLETE else ("", None)
        began = self._begin(exchange)
        self._free = self._clock()
        exchange.results.append(Result(tag, rows, self._free))
        self._looks.result(tag if kind in (COMPLETE, EMPTY) else "SELECT", self._free - began)
        self._is_dirty = True
        # A chained one is followed by the next transaction at once, without an "I" in between.
        if tag == "COMMIT" or (tag == "ROLLBACK" and CHAIN.search(exchange.sql)):
            self._transaction_ended(self._free, tag == "COMMIT")

    def _begin(self, exchange: Exchange) -> float:
        """Since when the server works on what is answered next."""
        if not exchange.results:
            exchange.started = max(exchange.started, self._free)
        return max(exchange.started, self._free)

    def _error(self, body: bytes) -> None:
        words = wire.fields(body)
        if not self._status:
            self.peer.refused = words.get("message", "")
            return
        failed = self._ledger.failed()
        blamed = failed[0].exchange if failed else self._running
        if failed and failed[0].kind in (P, B, D):  # never came to its Execute, which is what is recorded
            execute = next((owed.exchange for owed in failed if owed.kind == E), None)
            if execute and (blamed is None or execute.sql == blamed.sql):
                blamed = execute
            elif blamed:
                self._keep(blamed)
        if blamed is None:
            return
        self._is_dirty = True
        blamed.error, blamed.skipped = words, False
        self._begin(blamed)
        if failed and failed[0].kind != Q:
            blamed.ended = self._clock()
            self._running = blamed


def _was_rolled_back(exchange: Exchange) -> bool:
    return bool(exchange.results) and exchange.results[-1].tag == "ROLLBACK"
