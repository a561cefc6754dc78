"""A migration that the main line already has is edited, renamed or deleted by the push."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found
from neon_hooks.plan import Edit

RULE = Rule(
    id="edited-migration",
    severity=Severity.ERROR,
    condition="A migration that the main line already has is edited, renamed or deleted.",
    effect="Where it has been applied it never runs again: databases differ from then on, and tools that"
    " keep checksums refuse to work.",
    fix="restore the file (git checkout {base} -- {path}) and put the change into a new migration",
)
RULES = (RULE,)
EFFECTS = {
    "edited": "the edit will never reach a database that has applied it",
    "renamed": "the migration tool takes it for a new one and runs it again, or refuses",
    "deleted": "databases that have applied it know a migration that nobody can look up",
}


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        for edit in unit.work.edits:
            yield _edited(facts, unit, edit)


def _edited(facts: Facts, unit: UnitFacts, edit: Edit) -> Finding:
    """An error, unless the bookkeeping shows that main has not applied it yet: then the edit still counts."""
    pending = unit.pending_on_main is not None and edit.id in unit.pending_on_main
    renamed = f" to {edit.new_path}" if edit.new_path else ""
    state = ", but is not applied on the main Neon database branch yet" if pending else ""
    return found(
        RULE,
        f"{edit.what}{renamed}: this migration is on the main line already{state}; {EFFECTS[edit.what]}",
        path=edit.path,
        system=unit.unit.system,
        severity=Severity.WARNING if pending else RULE.severity,
        fix=RULE.fix.format(base=(facts.range.published or facts.range.base or "")[:12], path=edit.path),
        evidence={"id": edit.id, "what": edit.what, "pending_on_main": pending},
    )
