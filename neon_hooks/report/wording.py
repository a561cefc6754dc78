"""How measures and other people's texts are written in the reports for people. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from neon_hooks.checks import CATALOGUE
from neon_hooks.facts import Deployed, Evidence, Facts
from neon_hooks.findings import Finding, counted
from neon_hooks.plan import Migration

SHORT = 12  # characters of a commit id
LONGEST_NAME = 2 * 63 + 1  # NAMEDATALEN of Postgres: bytes of the schema and of the table
# Controls but tab and newline, what turns the direction of text round, and halves of surrogate pairs: SQL may
# hold them to look like something else (https://trojansource.codes), and a terminal obeys some of them.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def plain(text: str) -> str:
    """The text with everything shown that would not be seen."""
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\r\n", "\n"))


def duration(ms: float) -> str:
    """ "0.4 ms", "12 ms", "4.2 s", "2 min 5 s", "1 h 3 min"."""
    if ms < 0.05:
        return "0 ms"
    if ms < 9.95:
        return f"{ms:.1f}".removesuffix(".0") + " ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f}".removesuffix(".0") + " s"
    seconds = round(ms / 1000)
    if seconds < 3600:
        return f"{seconds // 60} min" + (f" {seconds % 60} s" if seconds % 60 else "")
    minutes = round(seconds / 60)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def grouped(number: int) -> str:
    """ "1 204 331"."""
    return f"{number:,}".replace(",", " ")


def size(number: int) -> str:
    """ "812 bytes", "1.2 GB": powers of 1024, as pg_size_pretty() counts."""
    amount, units = float(number), iter(("kB", "MB", "GB", "TB"))
    unit = "bytes"
    while amount >= 1024 and (bigger := next(units, "")):
        amount, unit = amount / 1024, bigger
    return f"{amount:.1f}".removesuffix(".0") + f" {unit}"


def relation(name: str) -> str:
    """The schema that everybody has need not be said. On one line, whatever somebody has called it."""
    return one_line(name.removeprefix("public."), LONGEST_NAME)


def one_line(text: str, width: int) -> str:
    """Whitespace folded, and shortened to ``width`` characters."""
    folded = " ".join(plain(text).split())
    return folded if len(folded) <= width else folded[: width - 3].rstrip() + "..."


def place_of(finding: Finding) -> str:
    """ "db/migrations/0042.sql:3", "" for a finding about the push as a whole."""
    return f"{finding.path}:{finding.line}" if finding.line else finding.path


def names(migrations: Sequence[Migration]) -> list[str]:
    """Their paths; those that share a file (Liquibase) by their ids as well."""
    shared = Counter(migration.path for migration in migrations)
    return [f"{m.path} ({m.id})" if shared[m.path] > 1 else m.path for m in migrations]


def effect(rule: str) -> str:
    """Why it matters. "" for a rule that this version does not know: a saved run may be of another one."""
    return CATALOGUE[rule].effect if rule in CATALOGUE else ""


def commits(facts: Facts) -> str:
    return f"{(facts.range.base or '')[:SHORT] or '(nothing)'}..{facts.range.target[:SHORT]}"


def unseen(facts: Facts) -> list[str]:
    """What the flight recorder did not see, one sentence for each migration system."""
    said = []
    for unit in facts.units:
        if unit.first is None or unit.first.evidence == Evidence.FULL:
            continue
        how = "were not recorded" if unit.first.evidence == Evidence.NONE else "were recorded in part"
        why = f": {unit.first.unrecorded}" if unit.first.unrecorded else ""
        said.append(f"the locks of {unit.unit.system} in {unit.unit.root or '.'} {how}{why}")
    return said


def coverage(facts: Facts) -> list[str]:
    """How much is known of what the deployed code does, one sentence for each migration system. Never that it works."""
    found = []
    for unit in facts.units:
        told = "; ".join(_covered(unit.deployed)) if unit.deployed else ""
        if told:
            found.append(f"deployed code, by {unit.unit.system} in {unit.unit.root or '.'}: {told}")
    return found


def _covered(deployed: Deployed) -> list[str]:
    known, told = deployed.files + deployed.production, []
    if known:
        told.append(
            f"{grouped(deployed.tried)} of {counted(known, 'known query' if known == 1 else 'known queries', '')} could be"
            f" tried, {_number(len(deployed.broken), 'breaks', 'break')}"
        )
    if deployed.changed:
        told.append(f"{_number(len(deployed.changed), 'takes or returns', 'take or return')} something else")
    if deployed.skipped:
        told.append(f"{counted(deployed.skipped, 'statement')} there {'is no query' if deployed.skipped == 1 else 'are no queries'}")
    if deployed.unread:
        told.append(f"production's are not known: {deployed.unread}")
    if deployed.inserts:
        told.append(
            f"an INSERT was tried in {counted(deployed.inserts, 'table')},"
            f" {_number(len(deployed.refused), 'is refused', 'are refused')}"
        )
    if deployed.untried:
        told.append(f"none could be in {counted(len(deployed.untried), 'changed table')}")
    return told


def _number(number: int, one: str, more: str) -> str:
    return f"{grouped(number) if number else 'none'} {one if number < 2 else more}"
