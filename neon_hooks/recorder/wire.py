"""The messages of Postgres' protocol 3, as far as a recorder must understand them. Pure bytes.

Manual, sections 55.2 (message flow) and 55.7 (message formats). Knows no sockets and no SQL.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping

LENGTH = struct.Struct(">I")
HEAD = struct.Struct(">BI")
HEADER = 5  # a type byte and a length that counts itself
LONGEST = 0x3FFFFFFF  # the server's own limit (PQ_LARGE_MESSAGE_LIMIT)
NULL = 0xFFFFFFFF  # in the place of a value's length
# Codes that stand in the place of a protocol version in a client's first packet.
CANCEL, SSL, GSS = 80877102, 80877103, 80877104
PROTOCOL_3 = 3
SCRAM_PLUS = b"SCRAM-SHA-256-PLUS"
MAX_FIRST_PACKET = 10_000  # the server's own limit (MAX_STARTUP_PACKET_LENGTH)

# Fields of ErrorResponse and NoticeResponse (section 55.8) by the names that the Facts use.
FIELDS = {
    "C": "sqlstate", "M": "message", "D": "detail", "H": "hint", "W": "context", "P": "position", "V": "severity",
}  # fmt: skip
SHOWN_PARAMETERS = 50
SHOWN_CHARACTERS = 200  # of one parameter


class ProtocolError(Exception):
    """These bytes are no protocol 3."""


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + LENGTH.pack(len(body) + 4) + body


def executions(statements: Iterable[str], name: str) -> bytes:
    """``statements`` one after the other up to the first that fails (section 55.2.3), as named ones, so that
    the client's unnamed ones stay.

    Closed first: a failed one before it was not closed at its end. Closing what is not there is no error.
    """
    known = name.encode() + b"\0"
    close = message(b"C", b"P" + known) + message(b"C", b"S" + known)
    run = message(b"B", known + known + b"\0\0" + b"\0\0" + b"\0\0") + message(b"E", known + b"\0\0\0\0")
    parsed = (message(b"P", known + sql.encode() + b"\0" + b"\0\0") for sql in statements)
    return close + b"".join(parse + run + close for parse in parsed) + message(b"S")


def error(sqlstate: str, text: str) -> bytes:
    """A FATAL ErrorResponse."""
    fields = (("S", "FATAL"), ("V", "FATAL"), ("C", sqlstate), ("M", text))
    return message(b"E", b"".join(f"{key}{value}".encode() + b"\0" for key, value in fields) + b"\0")


def text_of(body: bytes) -> str:
    """The bytes up to the first zero."""
    return body.partition(b"\0")[0].decode("utf-8", "replace")


def two_texts(body: bytes) -> tuple[str, str]:
    """The first two zero-terminated texts of a message that may be cut."""
    first, _, rest = body.partition(b"\0")
    return first.decode("utf-8", "replace"), text_of(rest)


def fields(body: bytes) -> Mapping[str, str]:
    """What an ErrorResponse or a NoticeResponse says, by name."""
    found = {}
    for field in body.split(b"\0"):
        name = FIELDS.get(chr(field[0])) if field else None
        if name:
            found[name] = field[1:].decode("utf-8", "replace")
    return found


def has_sqlstate(body: bytes, sqlstate: bytes) -> bool:
    return b"\0C" + sqlstate + b"\0" in b"\0" + body


def first_value(body: bytes) -> str:
    """The first column of a DataRow, "" for null."""
    if len(body) < 6:
        return ""
    (size,) = LENGTH.unpack_from(body, 2)
    return "" if size == NULL else body[6 : 6 + size].decode("utf-8", "replace")


def tag_and_rows(body: bytes) -> tuple[str, int | None]:
    """ "UPDATE 12" -> ("UPDATE", 12); "INSERT 0 3" has an OID, which is no row count (section 55.7)."""
    words = text_of(body).split(" ")
    if len(words) > 1 and words[-1].isdigit():
        count = int(words.pop())
        if words[0] == "INSERT":
            words = words[:1]
        return " ".join(words), count
    return " ".join(words), None


def parameters(body: bytes) -> tuple[str, str, str]:
    """(portal, statement, the parameters as a text for people) of a Bind. Raises ProtocolError."""
    parts = body.split(b"\0", 2)
    if len(parts) < 3:
        raise ProtocolError("a Bind that ends too early")
    try:
        return *two_texts(body), ", ".join(_values(parts[2]))
    except (struct.error, IndexError):
        raise ProtocolError("a Bind that ends too early") from None


def _values(rest: bytes) -> Iterator[str]:
    (formats,) = struct.unpack_from(">H", rest)
    codes = struct.unpack_from(f">{formats}H", rest, 2)
    at = 2 + 2 * formats
    (count,) = struct.unpack_from(">H", rest, at)
    at += 2
    for number in range(min(count, SHOWN_PARAMETERS)):
        (size,) = LENGTH.unpack_from(rest, at)
        at += 4
        if size == NULL:
            yield "null"
            continue
        code = codes[number] if len(codes) > 1 else codes[0] if codes else 0
        yield _shown(rest[at : at + size], bool(code))
        at += size


def _shown(value: bytes, binary: bool) -> str:
    """A parameter's text. Its type is not known here: short binary values that are no text are numbers."""
    text = value[: 4 * SHOWN_CHARACTERS].decode("utf-8", "replace")[:SHOWN_CHARACTERS]
    if not binary or (text.isprintable() and "\ufffd" not in text):
        return text
    if len(value) in (2, 4, 8):
        return str(int.from_bytes(value, "big", signed=True))
    return value[:SHOWN_CHARACTERS].hex()


def without_plus(body: bytes) -> bytes:
    """An AuthenticationSASL without channel binding: that ties the login to a TLS session which ends here."""
    kept = [name for name in body[4:].split(b"\0") if name and name != SCRAM_PLUS]
    return body[:4] + b"".join(name + b"\0" for name in kept) + b"\0"
