"""A login by SCRAM-SHA-256 (RFC 5802, 7677) on behalf of a tool that has given its password.

Why: a client that is on TLS with us and could bind the login to that TLS session says so, because it is
not offered to it here; a server that did offer it must then take us for an attacker (RFC 5802, section 6,
"y"), and rightly. So such a client is asked for its password, inside its TLS to this process, and the login
at the server, inside our verified TLS, says that it cannot bind. The password is not kept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stringprep
import unicodedata
from collections.abc import Mapping

from neon_hooks.recorder.wire import ProtocolError

MECHANISM = b"SCRAM-SHA-256"
NO_BINDING = "n,,"
MOST_ITERATIONS = 1_000_000  # half a second; servers have 4096
# RFC 4013, section 2.3.
PROHIBITED = (
    stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
    stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8,
    stringprep.in_table_c9, stringprep.in_table_a1,
)  # fmt: skip


class Scram:
    """The client's side: ``first``, then ``proof`` of the server's answer, then ``verify`` its last word."""

    def __init__(self, password: bytes) -> None:
        self._password = normalized(password)
        self._nonce = base64.b64encode(os.urandom(18)).decode()
        self._bare = f"n=,r={self._nonce}"  # the name is that of the startup packet
        self._signature = b""

    @property
    def first(self) -> bytes:
        return (NO_BINDING + self._bare).encode()

    def proof(self, answer: bytes) -> bytes:
        """Raises ProtocolError."""
        words = _words(answer)
        nonce, salt, iterations = words["r"], base64.b64decode(words["s"]), int(words["i"])
        if not nonce.startswith(self._nonce) or not 0 < iterations <= MOST_ITERATIONS:
            raise ProtocolError("a SCRAM challenge that does not belong to the login")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, iterations)
        self._password = b""
        final = f"c={base64.b64encode(NO_BINDING.encode()).decode()},r={nonce}"
        signed = ",".join((self._bare, answer.decode(), final)).encode()
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        self._signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        return f"{final},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, answer: bytes) -> bool:
        """Whether the server knows the password as well."""
        said = base64.b64decode(_words(answer).get("v", ""))
        return bool(self._signature) and hmac.compare_digest(said, self._signature)


def _words(answer: bytes) -> Mapping[str, str]:
    try:
        words = dict(part.split("=", 1) for part in answer.decode().split(","))
    except ValueError:
        raise ProtocolError("a SCRAM message that cannot be read") from None
    return words


def normalized(password: bytes) -> bytes:
    """SASLprep (RFC 4013); what it does not allow is used as it is, as the server does."""
    try:
        text = password.decode()
    except UnicodeDecodeError:
        return password
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c)
    )
    prepared = unicodedata.normalize("NFKC", mapped)
    if not prepared or any(test(c) for c in prepared for test in PROHIBITED):
        return password
    right_to_left = [stringprep.in_table_d1(c) for c in prepared]
    if any(right_to_left) and (
        any(stringprep.in_table_d2(c) for c in prepared) or not (right_to_left[0] and right_to_left[-1])
    ):
        return password
    return prepared.encode()
