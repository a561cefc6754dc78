"""The verdict on one pushed range, and everything that a report needs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from neon_hooks.errors import NeonHooksError
from neon_hooks.facts import Facts, MigrationRun
from neon_hooks.findings import Finding, Severity


class Verdict(StrEnum):
    PASS = "pass"
    BLOCK = "block"
    UNKNOWN = "unknown"


EXIT_CODES = {Verdict.PASS: 0, Verdict.BLOCK: 1, Verdict.UNKNOWN: 3}


@dataclass(frozen=True)
class Outcome:
    """``error`` says why the verdict is unknown; ``left_over`` which test Neon database branch remains."""

    facts: Facts
    findings: tuple[Finding, ...] = ()
    error: NeonHooksError | None = None
    left_over: str = ""

    @property
    def verdict(self) -> Verdict:
        if any(finding.severity == Severity.ERROR for finding in self.findings):
            return Verdict.BLOCK
        return Verdict.UNKNOWN if self.error else Verdict.PASS

    @property
    def migrations(self) -> tuple[MigrationRun, ...]:
        return tuple(migration for unit in self.facts.units for migration in unit.migrations)

    @property
    def is_empty(self) -> bool:
        """Whether the push brought nothing for any migration system."""
        return not self.facts.units


def exit_code(outcome: Outcome, on_unavailable: str) -> int:
    """0 pass, 1 blocked, 3 unknown; with ``on_unavailable = "warn"`` an unknown verdict lets the push through."""
    if outcome.verdict == Verdict.UNKNOWN and on_unavailable == "warn":
        return 0
    return EXIT_CODES[outcome.verdict]
