"""Numbered migrations that collide with, or fall behind, what the main line already has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neon_hooks.facts import Facts, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found

DUPLICATE = Rule(
    id="duplicate-number",
    severity=Severity.ERROR,
    condition="A pushed migration has the number of another one.",
    effect="The tool refuses to run, or the order of the two is left to chance.",
    fix="give the pushed migration the next free number",
)
OUT_OF_ORDER = Rule(
    id="out-of-order",
    severity=Severity.WARNING,
    condition="A pushed migration has a lower number than the newest one of the main line.",
    effect="Databases that have the newer one apply it late, skip it, or refuse, depending on the tool.",
    fix="rename it so that it comes after the newest migration of the main line",
)
RULES = (DUPLICATE, OUT_OF_ORDER)
VERSION = re.compile(r"\d+(?:[._-]\d+(?![\da-zA-Z]))*")  # 1.10, 2025_01_31_120000; not the 2 of 0007_2fa


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.work.numbers:
            yield from _duplicates(unit)
            yield from _late(unit)


def _duplicates(unit: UnitFacts) -> Iterator[Finding]:
    """Two files may share an id where the id is the number."""
    numbers = unit.work.numbers
    for migration in unit.work.pushed:
        number = numbers.get(migration.id)
        twins = {m.path for m in unit.work.history if numbers.get(m.id) == number} - {migration.path}
        if number and twins:
            yield found(
                DUPLICATE,
                f"the number {number} is also that of {', '.join(sorted(twins))}",
                path=migration.path,
                system=unit.unit.system,
                evidence={"number": number, "others": sorted(twins)},
            )


def _late(unit: UnitFacts) -> Iterator[Finding]:
    pushed = {migration.path for migration in unit.work.pushed}
    numbers = unit.work.numbers
    published = [m.id for m in unit.work.history if m.id in numbers and m.path not in pushed]
    if not published:
        return
    newest = max(published, key=lambda id: _parts(numbers[id]))
    for migration in unit.work.pushed:
        number = _parts(numbers.get(migration.id, ""))
        if number and number < _parts(numbers[newest]):
            yield found(
                OUT_OF_ORDER,
                f"the main line is at {newest} already, and this migration comes before it",
                path=migration.path,
                system=unit.unit.system,
                evidence={"number": numbers[migration.id], "newest": newest},
            )


def _parts(number: str) -> tuple[int, ...]:
    """Versions are compared by their numeric parts: 1.10 comes after 1.9. Of a name the first number counts."""
    found = VERSION.search(number)
    return tuple(map(int, re.findall(r"\d+", found[0]))) if found else ()
