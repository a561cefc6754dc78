"""Keeping secrets out of everything that is shown or saved. Pure.

Two nets: the secrets that we know (key, passwords, in every encoding that a connection string may
have given them), and the shape of a password in a connection string that we do not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
MIN_LENGTH = 4  # masking shorter ones would only garble the text
IN_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*):[^\s/'\"]*(?:[^\s'\"]*[^\s'\"/@])?@(?=[\w\[])", re.IGNORECASE)
IN_KEYWORD = re.compile(r"(\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s'\"&,;)]+)", re.IGNORECASE)


class Redactor:
    """Call it with a text to get the text without secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.secrets = frozenset(secret for secret in secrets if len(secret) >= MIN_LENGTH)
        forms = {form for secret in self.secrets for form in _forms(secret)}
        ordered = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        if self._known:
            text = self._known.sub(MASK, text)
        text = IN_URL.sub(rf"\1:{MASK}@", text)
        return IN_KEYWORD.sub(rf"\1{MASK}", text)


def _forms(secret: str) -> tuple[str, ...]:
    """As it is, in a URI, and as Python prints it."""
    return secret, quote(secret, safe=""), quote(secret), quote_plus(secret), repr(secret)[1:-1]
