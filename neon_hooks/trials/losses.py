"""What the statements of a recorded run took away: counted before them, or estimated. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from neon_hooks.database.counting import Counted, parse_counts, would_lose
from neon_hooks.facts import Catalogue, Dropped, Lost
from neon_hooks.recorder import COUNT, Recording
from neon_hooks.trials.notes import Notes
from neon_hooks.trials.steps import Step


def note_losses(
    steps: Sequence[Step], recording: Recording, notes: Mapping[int, Notes], before: Catalogue
) -> None:
    """What was counted before the statements that took it away, where they succeeded."""
    counted: defaultdict[int, list[Counted]] = defaultdict(list)
    for injection in recording.injections:
        if injection.purpose == COUNT and injection.before:
            counted[id(injection.before)] += parse_counts(injection.text)
    for step in steps:
        if step.error:
            continue
        of_exchange = counted.get(id(step.exchange), [])
        targets = would_lose(step.sql) if of_exchange else ()
        meant = {(target.kind, target.relation, target.column) for target in targets}
        note = notes[id(step)]
        for each in of_exchange:
            bare = each.relation.rpartition(".")[2].strip('"')
            if {(each.kind, bare, each.column), (each.kind, "", each.column)} & meant:
                values = each.values if each.values is not None else each.estimate
                if values:
                    note.lost.append(Lost(each.relation, each.column, values, each.values is not None))
        if not of_exchange:
            note.lost += _estimated(note.dropped, before)


def _estimated(dropped: Sequence[Dropped], before: Catalogue) -> Iterator[Lost]:
    """For what a DO block or a function dropped: nobody could count it before."""
    for each in dropped:
        if each.kind == "table":
            table = before.named(each.identity)
            if table and table.rows:
                yield Lost(table.name, "", table.rows, exact=False)
        elif each.kind == "table column":
            name, _, column = each.identity.rpartition(".")
            table = before.named(name)
            found = next((c for c in table.columns if c.name == column.strip('"')), None) if table else None
            if table and found and table.rows:
                values = round(table.rows * (1 - (found.null_fraction or 0.0)))
                if values:
                    yield Lost(table.name, found.name, values, exact=False)
