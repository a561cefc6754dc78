"""Trouble on demand: what a client has to live through at Neon, once, some times or always.

A Fault says which requests it meets and what befalls them; the server carries it out. Data and counting
only: nothing here sends anything.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any

from neon_hooks.emulator import problems
from neon_hooks.emulator.model import now
from neon_hooks.emulator.operations import Mishap
from neon_hooks.errors import UsageError

STATUS = "status"  # an error in Neon's form, and nothing is done
HTML = "html"  # an error page of the proxy before Neon, not JSON
SLOW = "slow"  # ``seconds`` go by, then all is well
DROP_BEFORE = "drop-before"  # the connection ends and nothing was done
DROP_AFTER = "drop-after"  # the connection ends and everything was done: a lost response
FUTURE = "future"  # unknown fields, unknown values of enumerations
OPERATION = "operation-"  # the operations that the request schedules: + failed, error, cancelled, stuck
EFFECTS = (
    STATUS,
    HTML,
    SLOW,
    DROP_BEFORE,
    DROP_AFTER,
    FUTURE,
    *(OPERATION + ending for ending in ("failed", "error", "cancelled", "stuck")),
)
MESSAGES: Mapping[int, str] = MappingProxyType(
    {
        404: "branch not found",
        422: "branch not ready yet",
        423: problems.CONFLICTING_OPERATIONS,
        429: "too many requests",
        500: "internal server error",
        503: "service unavailable",
        524: "a timeout occurred",
    }
)
UNKNOWN = "from_the_future"
# Enumerations whose value no client needs in order to go on.
ENUMERATIONS = ("action", "creation_source", "provisioner", "pooler_mode", "init_source")


@dataclass(frozen=True)
class Fault:
    """``times`` 0 is always; ``method`` "" is any; ``path`` is searched for as a regular expression.

    ``status``, ``message`` and ``code`` are of the effects "status" and "html". ``retry_after``: seconds,
    sent as a number or, with ``retry_after_date``, as an HTTP date; None sends no such header.
    ``seconds``: how slow, or the time until a failed operation is tried again. ``action``: only the
    operation with this action.
    """

    effect: str = STATUS
    method: str = ""
    path: str = ""
    times: int = 1
    status: int = 503
    message: str = ""
    code: str = ""
    retry_after: int | None = None
    retry_after_date: bool = False
    seconds: float = 0.2
    action: str = ""

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS:
            raise UsageError(f"{self.effect!r} is not an effect", fix=f"one of {', '.join(EFFECTS)}")
        re.compile(self.path)
        wrong = [name for name, fits in self._fitting() if not fits]
        if wrong:
            raise UsageError(f"a fault cannot have this {wrong[0]}", fix="see the fields of Fault")

    def _fitting(self) -> Iterable[tuple[str, bool]]:
        yield "times", isinstance(self.times, int) and self.times >= 0
        yield "status", isinstance(self.status, int) and 400 <= self.status <= 599
        yield "seconds", isinstance(self.seconds, int | float) and self.seconds >= 0
        yield "retry_after", self.retry_after is None or isinstance(self.retry_after, int)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Fault:
        """From JSON. Raises Problem 400 for what is no fault."""
        known = {item.name for item in fields(cls)}
        try:
            if not set(values) <= known:
                raise UsageError(f"unknown key: {', '.join(sorted(set(values) - known))}")
            return cls(**values)
        except (UsageError, TypeError, re.error) as error:
            raise problems.bad_request(str(error)) from None

    def meets(self, method: str, path: str) -> bool:
        return self.method in ("", method) and re.search(self.path, path) is not None

    @property
    def headers(self) -> dict[str, str]:
        if self.retry_after is None:
            return {}
        if self.retry_after_date:
            moment = now() + timedelta(seconds=self.retry_after)
            return {"Retry-After": format_datetime(moment, usegmt=True)}
        return {"Retry-After": str(self.retry_after)}

    @property
    def problem(self) -> problems.Problem:
        message = self.message or MESSAGES.get(self.status, "injected fault")
        return problems.Problem(self.status, message, self.code)

    @property
    def page(self) -> str:
        return f"<!DOCTYPE html><html><title>{self.status}</title><body>{self.problem}</body></html>"

    @property
    def mishap(self) -> Mishap | None:
        if not self.effect.startswith(OPERATION):
            return None
        return Mishap(self.effect.removeprefix(OPERATION), self.action, self.seconds)


class Faults:
    """The faults that are still to come, in the order in which they were added."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int]] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._waiting += [(fault, fault.times) for fault in faults]

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    @property
    def waiting(self) -> Sequence[Fault]:
        with self._lock:
            return [fault for fault, _ in self._waiting]

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that meets the request; it has then happened once more."""
        with self._lock:
            for position, (fault, left) in enumerate(self._waiting):
                if fault.meets(method, path):
                    if left == 1:
                        del self._waiting[position]
                    elif left:
                        self._waiting[position] = (fault, left - 1)
                    return fault
        return None


def futuristic(value: Any) -> Any:
    """``value`` as a later version of the API might show it."""
    if isinstance(value, list):
        return [futuristic(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {key: UNKNOWN if key in ENUMERATIONS else futuristic(item) for key, item in value.items()}
    return {**changed, "field_" + UNKNOWN: {"nested": [1, None, "text"]}}
