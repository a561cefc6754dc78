"""What the server still owes: one entry for each message of the client whose answer has not come.

Postgres answers in order, and says with ReadyForQuery how far it is (manual, section 55.2). Knows that
order, with the two places where it cannot be known for sure, and nothing of what the messages say:

*skipping*  after an error in the extended protocol the server reads on to the next Sync; what it skips has
            no answer
*doubtful*  a Sync sent while the server reads a COPY is ignored; but when that COPY fails, it may have
            failed before it read the Sync, which then counts. Nothing is put in until that is settled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from neon_hooks.recorder.log import Exchange, Injection
from neon_hooks.recorder.wire import ProtocolError

Q, P, B, E, D, C, S, F = (ord(c) for c in "QPBEDCSF")
COPY_DONE, COPY_FAIL = (ord(c) for c in "cf")
COMPLETE, EMPTY, SUSPENDED = (ord(c) for c in "CIs")
# The answers that end a message of the extended protocol, by what they answer.
ANSWERS = {ord("1"): P, ord("2"): B, ord("3"): C, ord("T"): D, ord("n"): D, COMPLETE: E, EMPTY: E, SUSPENDED: E}
SELF_CONTAINED = frozenset((Q, F, S))  # answered with a ReadyForQuery
ENDS_OF_COPY = frozenset((COPY_DONE, COPY_FAIL))


@dataclass(slots=True)
class Owed:
    """``ours`` counts with an Injection."""

    kind: int
    exchange: Exchange | None = None
    ours: Injection | None = None
    doubtful: bool = False


class Ledger:
    """Oldest first."""

    def __init__(self) -> None:
        self._queue: deque[Owed] = deque()
        self._is_open = False  # messages of the extended protocol were sent that no Sync has ended
        self._is_skipping = False
        self._is_copying_in = False
        self._has_doubts = False

    @property
    def is_settled(self) -> bool:
        """The client is between two messages, and the server waits for the next."""
        return not (self._queue or self._is_open or self._is_copying_in)

    @property
    def ours(self) -> Injection | None:
        """What of ours is answered now."""
        return self._queue[0].ours if self._queue else None

    @property
    def exchange(self) -> Exchange | None:
        """What of the client's is answered now; None between two, and while a Sync ends its transaction."""
        for owed in self._queue:
            if owed.kind == S or owed.exchange:
                return owed.exchange
        return None

    # What is sent.

    def put_in(self, injection: Injection) -> None:
        self._queue.append(Owed(S, ours=injection))

    def sent(self, kind: int, exchange: Exchange | None = None) -> None:
        if kind in ENDS_OF_COPY:
            if self._is_copying_in:
                self._is_copying_in = False
            elif self._queue:  # sent before the server said that it wants data; else it is ignored
                self._queue.append(Owed(kind))
            return
        if self._is_copying_in and kind != S:
            raise ProtocolError("a message in the middle of a COPY that does not belong there")
        self._is_open = kind not in SELF_CONTAINED
        if self._is_skipping and kind != S:
            _skip(exchange)
            return
        self._is_skipping = False
        self._queue.append(Owed(kind, exchange, doubtful=self._is_copying_in))
        self._has_doubts |= self._is_copying_in

    # What is answered.

    def wants_data(self) -> None:
        """CopyInResponse: what the client has sent by now is read as data (section 55.2.6)."""
        for number, owed in enumerate(self._queue):
            if owed.kind in ENDS_OF_COPY:
                del self._queue[number]
                return
            if number and owed.kind != S:
                raise ProtocolError("a message in the middle of a COPY that does not belong there")
            owed.doubtful = number > 0
        self._is_copying_in = True
        self._has_doubts |= len(self._queue) > 1

    def answered(self, kind: int) -> Owed | None:
        """The message that ``kind`` of ANSWERS belongs to. A Query, which can have many answers, stays."""
        self._clear_doubts(everywhere=kind == COMPLETE)
        if not self._queue or self._queue[0].kind == Q:
            return self._queue[0] if self._queue else None
        return self._queue.popleft() if self._queue[0].kind == ANSWERS[kind] else None

    def failed(self) -> Sequence[Owed]:
        """The message that failed, and those that the server skips for it; none if it was a Sync."""
        self._is_copying_in = False
        self._clear_doubts(everywhere=False)
        if not self._queue or self._queue[0].kind == S:
            return ()
        if self._queue[0].kind in SELF_CONTAINED:
            return (self._queue[0],)
        failed = []
        while self._queue and self._queue[0].kind != S:
            failed.append(self._queue.popleft())
        self._is_skipping = not self._queue
        for owed in failed[1:]:
            _skip(owed.exchange)
        return failed

    def ready(self) -> Owed:
        """ReadyForQuery: the message that it ends."""
        while self._queue and self._queue[0].kind not in SELF_CONTAINED:
            _skip(self._queue.popleft().exchange)
        if not self._queue:
            raise ProtocolError("a ReadyForQuery that nobody asked for")
        owed = self._queue.popleft()
        self._is_copying_in = False
        if owed.doubtful:  # or it was meant by the next one
            following = next((other for other in self._queue if other.kind == S and not other.doubtful), None)
            if following:
                following.doubtful = True
        return owed

    def forget(self) -> None:
        """Expect nothing more but answers to what is ours."""
        self._queue = deque(owed for owed in self._queue if owed.ours)

    def _clear_doubts(self, *, everywhere: bool) -> None:
        """An answer to a later message has come, or (``everywhere``) that of the COPY itself."""
        while self._queue and (self._queue[0].doubtful or self._queue[0].kind in ENDS_OF_COPY):
            self._queue.popleft()
        if everywhere and self._has_doubts:
            self._queue = deque(owed for owed in self._queue if not owed.doubtful)
            self._has_doubts = False


def _skip(exchange: Exchange | None) -> None:
    if exchange and not exchange.ended:
        exchange.skipped = True
