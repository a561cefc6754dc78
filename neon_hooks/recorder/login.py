"""The one place where the login is not passed on as it is: SCRAM with channel binding.

That ties the login to one TLS session, and the client's ends here. Without TLS towards the client it is
enough not to offer it; with TLS see scram.py.
"""

from __future__ import annotations

from neon_hooks.recorder import wire
from neon_hooks.recorder.log import Peer
from neon_hooks.recorder.scram import MECHANISM, Scram

OK, CLEARTEXT, SASL, CONTINUE, FINAL = (wire.LENGTH.pack(code) for code in (0, 3, 10, 11, 12))


class Login:
    """``answer`` is what goes back to the server. Every method returns what goes on, None for unchanged."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._scram: Scram | None = None
        self.is_ours = False  # until the server has let the client in
        self.answer = b""

    def of_server(self, body: bytes) -> bytes | None:
        """An Authentication message. Raises ProtocolError."""
        code = body[:4]
        if code == SASL and wire.SCRAM_PLUS in body:
            if self._peer.tls and MECHANISM in body[4:].split(b"\0"):
                self.is_ours = True
                return wire.message(b"R", CLEARTEXT)
            return wire.message(b"R", wire.without_plus(body))
        if not self.is_ours:
            return None
        if code == CONTINUE and self._scram:
            self.answer = wire.message(b"p", self._scram.proof(body[4:]))
            return b""
        if code == FINAL and self._scram:
            if self._scram.verify(body[4:]):
                return b""
            return wire.error("28000", "neon-hooks: the server does not prove that it knows the password")
        self.is_ours = False
        return None

    def of_client(self, body: bytes) -> bytes:
        """A PasswordMessage, which the client takes to be for the server."""
        self._scram = Scram(body.removesuffix(b"\0"))
        first = self._scram.first
        return wire.message(b"p", MECHANISM + b"\0" + wire.LENGTH.pack(len(first)) + first)
