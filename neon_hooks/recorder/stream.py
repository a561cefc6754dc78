"""Takes a stream of messages apart, as quickly as Python can: a COPY sends one message per row.

Knows where a message begins and ends; what it means is its handler's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from neon_hooks.recorder.wire import HEAD, HEADER, LONGEST, ProtocolError

KEPT = 1 << 20  # bytes of a message that are looked at; of a longer one the rest passes through in pieces
KEPT_WHOLE = 64 << 20  # the same for messages that must not be looked at in part
NOTHING: frozenset[int] = frozenset()

# (type, body, whether it is whole) -> what goes on in its place, None for the message as it is, b"" to take
# it out. In front of a message that is not whole any other answer is put, since the message itself has to
# pass.
Handler = Callable[[int, bytes, bool], bytes | None]


class Stream:
    """Messages of the types ``passed`` go through unseen, unless ``attentive()``.

    ``whole`` are the types that the handler wants to see in one piece, as it does all when ``attentive()``.
    """

    def __init__(
        self,
        handle: Handler,
        passed: Iterable[int],
        attentive: Callable[[], bool] = lambda: False,
        whole: Iterable[int] = (),
    ) -> None:
        self._handle = handle
        self._passed = frozenset(passed)
        self._attentive = attentive
        self._whole = frozenset(whole)
        self._held: list[bytes] = []  # the beginning of a message; joined when enough has come, never before
        self._missing = 0  # so much
        self._skip = 0  # what is still to come of a message that was looked at in part
        self._drops = False  # and whether that is taken out
        self._start = 0  # from where on the data at hand has not gone on

    def rest(self) -> bytes:
        """What was held back, when nobody wants to understand it any more."""
        held, self._held = b"".join(self._held), []
        return held

    def feed(self, data: bytes) -> bytes:
        """What goes on now. When it raises, ``rest`` has all that has not gone on."""
        if self._skip >= len(data):  # nothing is held while a long message passes
            self._skip -= len(data)
            return b"" if self._drops else data
        if self._held:
            self._held.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return b""
            data = self.rest()
        out: list[bytes] = []
        position, self._skip = self._skip, 0
        self._start, self._drops = position if self._drops else 0, False
        try:
            position = self._walk(data, position, out)
        except BaseException:
            self._held = [*out, data[self._start :]]
            raise
        end = len(data)
        if position > end:
            self._skip, position = position - end, end
        if self._start < position:
            out.append(data[self._start : position])
        if position < end:
            self._held = [data[position:]]
        return out[0] if len(out) == 1 else b"".join(out)

    def _walk(self, data: bytes, position: int, out: list[bytes]) -> int:
        """Handle every message from ``position`` on. Returns where the first begins that has to wait, or
        how far the last one reaches.
        """
        end, unpack, is_attentive = len(data), HEAD.unpack_from, self._attentive()
        passed = NOTHING if is_attentive else self._passed
        last_header = end - HEADER
        while position <= last_header:  # once for every row of a COPY
            kind, length = unpack(data, position)
            if not 4 <= length < LONGEST:
                raise ProtocolError("a message of an impossible length")
            if kind in passed:
                position += length + 1
                continue
            after = position + length + 1
            if after > end:
                limit = KEPT_WHOLE if is_attentive or kind in self._whole else KEPT
                wanted = min(length + 1, limit) - (end - position)
                if wanted > 0:
                    self._missing = wanted
                    return position
            said = self._handle(kind, data[position + HEADER : after], after <= end)
            is_attentive = self._attentive()
            passed = NOTHING if is_attentive else self._passed
            if said is not None:
                out += (data[self._start : position], said)
                self._drops = after > end and not said
                self._start = after if after <= end or self._drops else position
            position = after
        self._missing = HEADER - (end - position)
        return position
