"""The record of every request, for assertions such as "no mutation ever targeted the main one"."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Request:
    """``key_kind`` is "" without a valid key; ``status`` is 0 when the connection was dropped instead."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    key_kind: str
    status: int
    request_id: str
    user_agent: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Journal:
    def __init__(self) -> None:
        self._requests: list[Request] = []
        self._lock = threading.Lock()

    def add(self, request: Request) -> None:
        with self._lock:
            self._requests.append(request)

    def clear(self) -> None:
        with self._lock:
            self._requests.clear()

    @property
    def requests(self) -> Sequence[Request]:
        """The oldest first."""
        with self._lock:
            return tuple(self._requests)
