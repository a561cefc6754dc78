"""Takes a stream of messages apart, as quickly as Python can: a COPY sends one message per row.

Knows where a message begins and ends; what it means is its handler's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from neon_hooks.recorder.wire import HEADER, LENGTH, LONGEST, ProtocolError

KEPT = 1 << 20  # bytes of a message that are looked at; of a longer one the rest passes through in pieces

# (type, body, whether it is whole) -> what goes on in its place, None for the message as it is. In front
# of a message that is not whole the answer is put, since the message itself has to pass.
Handler = Callable[[int, bytes, bool], bytes | None]


class Stream:
    """Messages of the types ``passed`` go through unseen, unless ``attentive()``."""

    def __init__(
        self, handle: Handler, passed: Iterable[int], attentive: Callable[[], bool] = lambda: False
    ) -> None:
        self._handle = handle
        self._passed = frozenset(passed)
        self._attentive = attentive
        self._held = b""
        self._skip = 0

    def rest(self) -> bytes:
        """What was held back, when nobody wants to understand it any more."""
        held, self._held = self._held, b""
        return held

    def feed(self, data: bytes) -> bytes:
        """What goes on now. Raises ProtocolError; ``rest`` then has all that has not gone on."""
        if self._skip >= len(data):  # nothing is held while a long message passes
            self._skip -= len(data)
            return data
        if self._held:
            data, self._held = self._held + data, b""
        position, self._skip = self._skip, 0
        start, end = 0, len(data)
        out: list[bytes] = []
        passed, unpack = self._passed, LENGTH.unpack_from
        try:
            while position + HEADER <= end:
                kind = data[position]
                after = position + 1 + unpack(data, position + 1)[0]
                if not position + HEADER <= after <= position + LONGEST:
                    raise ProtocolError("a message of an impossible length")
                if kind in passed and not self._attentive():
                    position = after
                    continue
                if after > end and (self._attentive() or min(after, end + 1) - position <= KEPT):
                    break  # wait for more
                said = self._handle(kind, data[position + HEADER : min(after, end)], after <= end)
                if said is not None:
                    out += (data[start:position], said)
                    start = after if after <= end else position
                position = after
        except BaseException:
            self._held = b"".join((*out, data[start:]))
            raise
        if position > end:
            self._skip, position = position - end, end
        out.append(data[start:position])
        self._held = data[position:]
        return b"".join(out)
