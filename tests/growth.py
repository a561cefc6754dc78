"""How the time that some work needs grows with its size.

The processor's time of this process and of those that it started and that have ended, not the clock's: other work on
the machine does not count.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable


def growth(work: Callable[[int], object], small: int, large: int) -> float:
    """How many times longer ``work(large)`` needs than ``work(small)``, each at its best of two."""
    work(small)  # what is loaded and cached once
    return min(_seconds(work, large) for _ in range(2)) / min(_seconds(work, small) for _ in range(2))


def _seconds(work: Callable[[int], object], size: int) -> float:
    began = _spent()
    work(size)
    return _spent() - began


def _spent() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
