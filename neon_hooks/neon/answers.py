"""What came back from the Neon API, as a plain value: also when it was nothing, or a page of HTML.

Pure: httpx stays in client.py. The error body is GeneralError of Neon's OpenAPI document; answers of
the network in front of Neon (Cloudflare's 524) are HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from neon_hooks.redact import Redactor

NOT_SENT = -1  # the connection failed: Neon has not seen the request
NO_ANSWER = 0  # the request went out and may have been carried out
LONGEST_MESSAGE = 300
without_passwords = Redactor(())


@dataclass(frozen=True)
class Answer:
    """``status`` is HTTP's, or one of the two above. ``retry_after`` is in seconds, None when not said.

    ``body`` is kept out of repr: it can hold a password.
    """

    status: int
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    message: str = ""
    code: str = ""
    request_id: str = ""
    retry_after: float | None = None
    date: datetime | None = None

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def reason(self) -> str:
        """For people: status, code, message and the id that Neon's support asks for."""
        words = [str(self.status)] if self.status > 0 else []
        words += [self.code] if self.code else []
        quoted = f", request id {self.request_id}" if self.request_id else ""
        return " ".join([*words, self.message]).strip() + quoted


def read(status: int, headers: Mapping[str, str], text: str) -> Answer:
    """An answer from its parts. ``headers`` must not mind upper and lower case."""
    body = _json_object(text)
    date = _http_date(headers.get("date", ""))
    about = body or {}
    return Answer(
        status=status,
        body=body,
        message=one_line(_said(about, text)) if status >= 300 else "",
        code=one_line(about["code"]) if isinstance(about.get("code"), str) else "",
        request_id=one_line(str(about.get("request_id") or headers.get("x-request-id", ""))),
        retry_after=retry_after(headers.get("retry-after", ""), date or datetime.now(timezone.utc)),
        date=date,
    )


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait: RFC 9110, section 10.2.3, knows a number of seconds and a date."""
    if re.fullmatch(r"\s*\d{1,9}\s*", value, re.ASCII):
        return float(value)
    moment = _http_date(value)
    return max(0.0, (moment - now).total_seconds()) if moment else None


def one_line(text: str) -> str:
    """Text from outside, fit for a terminal: no control characters, no credentials of a URI, not long."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    line = without_passwords(" ".join(printable.split()))
    return line if len(line) <= LONGEST_MESSAGE else line[:LONGEST_MESSAGE] + "..."


def _said(body: Mapping[str, Any], text: str) -> str:
    """The server's message; of a page of HTML its title."""
    if isinstance(body.get("message"), str):
        return str(body["message"])
    title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    if title:
        return title[1]
    return "" if text.lstrip().startswith(("<", "{", "[")) else text


def _json_object(text: str) -> Mapping[str, Any] | None:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
