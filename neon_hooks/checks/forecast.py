"""At which size something that was quick on few rows begins to hurt. Pure.

One measurement carries one straight line. What is not on it (a fixed cost, sorting, cold pages, another
machine) is in the range that is said with it: a factor of two each way, four where the measured time is
too short to mean much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from neon_hooks.checks.wording import grouped

MEASURABLE_ROWS = 1000  # fewer tell nothing about many
SHORT_MS = 10.0
LARGEST = 10**12


@dataclass(frozen=True)
class Forecast:
    """Numbers of rows: the likely one, and the range that it is in."""

    rows: int
    low: int
    high: int

    def __str__(self) -> str:
        return f"about {_rough(self.rows)} rows ({_range(self.low, self.high)})"


def forecast(rows: int, ms: float, limit_ms: float) -> Forecast | None:
    """How many rows take ``limit_ms`` when ``rows`` take ``ms``; None where that cannot be told."""
    if rows < MEASURABLE_ROWS or ms <= 0 or ms > limit_ms:
        return None
    likely = rows * limit_ms / ms
    if likely > LARGEST:
        return None
    factor = 2 if ms >= SHORT_MS else 4
    low = max(float(rows), likely / factor)  # this many were measured to be below the limit
    return Forecast(round(likely), round(low), round(likely * factor))


def _rounded(number: float) -> int:
    """One significant digit, two where the first is 1: no more is known."""
    digits = math.floor(math.log10(number))
    step = 10 ** (digits - (1 if number < 2 * 10**digits else 0))
    return int(round(number / step) * step)


def _rough(number: int) -> str:
    number = _rounded(number)
    if number >= 1_000_000_000:
        return f"{number / 1e9:g} billion"
    return f"{number / 1e6:g} million" if number >= 1_000_000 else grouped(number)


def _range(low: int, high: int) -> str:
    """ "1 to 4 million": the unit is said once where both have the same."""
    least, most = _rough(low), _rough(high)
    unit = most.partition(" ")[2]
    return f"{least.removesuffix(' ' + unit) if unit in ('million', 'billion') else least} to {most}"
