"""Two pushes continued the same migration: the graph has more heads than the main line has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found
from neon_hooks.plan import Migration

RULE = Rule(
    id="several-heads",
    severity=Severity.ERROR,
    condition="The push gives the migrations of one directory more heads than the main line has.",
    effect="The tool refuses to choose between them, or applies them in an order that nobody has tried.",
    fix="rebase onto the main line and let the new migration follow its newest one, or add a merge migration",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if not unit.work.is_graph:
            continue
        pushed = set(unit.work.pushed)
        before = _heads(migration for migration in unit.work.history if migration not in pushed)
        for directory, heads in _heads(unit.work.history).items():
            if not 0 < len(before.get(directory, ())) < len(heads):
                continue
            new = next(head for head in reversed(heads) if head in pushed)
            names = ", ".join(head.id for head in heads)
            yield found(
                RULE,
                f"{len(heads)} heads after this push: {names}",
                path=new.path,
                system=unit.unit.system,
                evidence={"heads": [head.id for head in heads]},
            )


def _heads(migrations: Iterable[Migration]) -> dict[str, list[Migration]]:
    """The migrations of each directory that none of the same directory follows."""
    by_directory: dict[str, list[Migration]] = {}
    for migration in migrations:
        by_directory.setdefault(migration.path.rpartition("/")[0], []).append(migration)
    return {
        directory: [m for m in members if not any(m.id in other.parents for other in members)]
        for directory, members in by_directory.items()
    }
