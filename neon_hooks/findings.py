"""Findings, and the rules that they are instances of. Pure.

A rule's texts are the single source of what a person reads about it: the report, the README's table
and the tests (which execute the examples) take them from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """``error`` blocks the push; the others are only said."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Rule:
    """One entry of the catalogue.

    ``bad`` and ``good`` are SQL: a migration that is found and the form that is not, on the tables of
    tests/catalogue.sql; empty for a rule that no SQL text can show. Not ``acceptable``: nothing is proven
    where it is found, so no comment can accept it.
    """

    id: str
    severity: Severity
    condition: str
    effect: str
    fix: str
    bad: str = ""
    good: str = ""
    acceptable: bool = True


@dataclass(frozen=True)
class Finding:
    """``line`` 0: the whole file. ``quote`` is what a tool or Postgres said, printed as it is.

    ``accepted`` is the reason that a comment in the migration gives for it; then it is only a note. ``command``: a
    note that offers this command, and is worth a line also where other notes are not shown.
    """

    rule: str
    severity: Severity
    message: str
    fix: str
    path: str = ""
    line: int = 0
    system: str = ""
    quote: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    accepted: str = ""
    command: str = ""


def found(rule: Rule, message: str, **details: Any) -> Finding:
    """An instance of ``rule``, with its severity and its fix unless ``details`` say otherwise."""
    return Finding(**{"rule": rule.id, "severity": rule.severity, "message": message, "fix": rule.fix, **details})


def counted(number: int, noun: str, plural: str = "s") -> str:
    """ "1 migration", "3 migrations", "12 000 branches"."""
    return f"{number:,} {noun}{'' if number == 1 else plural}".replace(",", " ")
