"""Which answers are worth another attempt, and after how long. Pure: one table and two functions.

The rules are those of Neon's OpenAPI document (503 and 423 are always safe to repeat, GET also without
an answer) and of its own tests (a 404 on what was just made, 422 "branch not ready yet", Cloudflare's
524). DELETE is repeated without an answer too: ids are never used twice, so a second one finds nothing.
A POST without an answer is never repeated.
"""

from __future__ import annotations

import random
from collections.abc import Container
from dataclasses import dataclass

from neon_hooks.neon.answers import NO_ANSWER, NOT_SENT, Answer

BASE = 0.25  # seconds; doubled with each attempt
CAP = 4.0  # seconds
UNTIL_THE_DEADLINE = 1_000_000
ANY = ("GET", "POST", "DELETE")


@dataclass(frozen=True)
class Rule:
    """``says``: the message holds this. ``fresh``: only about something that we have just made."""

    name: str
    statuses: Container[int]
    methods: Container[str] = ANY
    says: str = ""
    fresh: bool = False
    attempts: int = UNTIL_THE_DEADLINE

    def fits(self, method: str, answer: Answer, *, fresh: bool) -> bool:
        return (
            answer.status in self.statuses
            and method in self.methods
            and self.says in answer.message.lower()
            and (fresh or not self.fresh)
        )


RULES = (
    Rule("locked", (423,)),
    Rule("too many requests", (429,)),
    Rule("unavailable", (503,)),
    Rule("not ready", (422,), says="not ready"),
    Rule("not visible yet", (404,), fresh=True),
    Rule("certificate", (NOT_SENT,), says="certificate", attempts=1),
    Rule("no connection", (NOT_SENT,), attempts=4),
    Rule("lost", (NO_ANSWER, *range(500, 600)), methods=("GET", "DELETE"), attempts=8),
)


def worth_another(method: str, answer: Answer, *, attempt: int, fresh: bool) -> bool:
    """Whether attempt number ``attempt`` (from 1), which got ``answer``, is to be followed by another."""
    for rule in RULES:
        if rule.fits(method, answer, fresh=fresh):
            return attempt < rule.attempts
    return False


def pause(answer: Answer, *, attempt: int) -> float:
    """Seconds until the next attempt: exponential with full jitter, never less than Neon asks for."""
    longest = min(CAP, BASE * 2 ** min(attempt - 1, 10))
    return max(answer.retry_after or 0.0, random.uniform(0.05, longest))
