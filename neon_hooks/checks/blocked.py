"""Tables that other sessions cannot read or write while the migration runs, and the statement that is the cause.

One finding per statement and cause; the tables that it blocks are in it. What no cause explains is left to
``reads-blocked`` and ``writes-blocked``, which go by the whole transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from neon_hooks.checks import causes
from neon_hooks.checks.blocking import Block, blocks_of, limit, observed
from neon_hooks.checks.causes import WORK, Cause, Step, cause_of, is_backfill
from neon_hooks.checks.forecast import MEASURABLE_ROWS, Forecast, forecast
from neon_hooks.checks.idioms import Form, advice
from neon_hooks.checks.schema import TableChange, changes, column_names
from neon_hooks.checks.wording import Places, duration, listed, quoted, sized
from neon_hooks.facts import Evidence, Facts, Statement, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found
from neon_hooks.limits import Limits
from neon_hooks.lockmodes import Use, makes_wait

READS = Rule(
    id="reads-blocked",
    severity=Severity.ERROR,
    condition="Reads of a table that existed before are blocked for longer than `reads_blocked`, summed over a"
    " transaction.",
    effect="Every query on the table waits, and what waits for those queries.",
    fix="take the lock as late as possible, and commit at once",
    bad="BEGIN;\nLOCK TABLE orders IN ACCESS EXCLUSIVE MODE;\nSELECT pg_sleep(1);\nCOMMIT;",
    good="BEGIN;\nSELECT pg_sleep(1);\nLOCK TABLE orders IN ACCESS EXCLUSIVE MODE;\nCOMMIT;",
)
WRITES = Rule(
    id="writes-blocked",
    severity=Severity.ERROR,
    condition="Writes to a table that existed before are blocked for longer than `writes_blocked`, summed over a"
    " transaction.",
    effect="Every INSERT, UPDATE and DELETE on the table waits, and what waits for those.",
    fix="take the lock as late as possible, and commit at once",
    bad="BEGIN;\nLOCK TABLE orders IN SHARE MODE;\nSELECT pg_sleep(1);\nCOMMIT;",
    good="BEGIN;\nSELECT pg_sleep(1);\nLOCK TABLE orders IN SHARE MODE;\nCOMMIT;",
)
RULES = (
    READS,
    WRITES,
    causes.TABLE_REWRITE,
    causes.REFRESH,
    causes.INDEX_BUILD,
    causes.INDEX_DROP,
    causes.VALIDATED_LATE,
    causes.VALIDATED,
    causes.BACKFILL,
)
SHARE = 0.1  # of the blocked time: what took less did not make the difference
SLOWEST = 10  # statements of a transaction that are looked at because they took long
SEVERITIES = tuple(Severity)


@dataclass(frozen=True)
class Judged:
    """A step with its cause, and how grave it is. ``use`` is the one that counts, ``ms`` the step's part of it."""

    step: Step
    cause: Cause
    severity: Severity
    use: Use
    ms: float
    limit: float
    forecast: Forecast | None

    @property
    def rank(self) -> tuple[int, float]:
        return SEVERITIES.index(self.severity), -self.ms


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        yield from _unit(unit, facts.limits)


def _unit(unit: UnitFacts, limits: Limits) -> Iterator[Finding]:
    run = observed(unit)
    if run is None:
        return
    places = Places(unit)
    changed = {change.before.name: change for change in changes(unit)}
    by_transaction: dict[int, list[Statement]] = defaultdict(list)
    for statement in run.statements:
        by_transaction[statement.transaction].append(statement)
    slowest = {n: sorted(all, key=lambda s: -s.ms)[:SLOWEST] for n, all in by_transaction.items()}
    touching = _touching(by_transaction)
    judged: dict[tuple[Rule, float], list[Judged]] = defaultdict(list)
    unexplained = []
    for block in blocks_of(unit):
        statements = _ordered(touching[block.transaction].get(block.table, []), slowest[block.transaction])
        found_here = list(_judge(block, statements, changed.get(block.table), limits, run.evidence is Evidence.FULL))
        for each in found_here:
            judged[each.cause.rule, each.step.statement.started_ms].append(each)
        rest = _rest(block, found_here, limits)
        # What failed has to be written anew; how long it blocked until then is no news.
        if rest and not all(held.by.error for held in block.held):
            unexplained.append((block, rest))
    for group in judged.values():
        yield _finding(unit, places, sorted(group, key=lambda each: each.rank))
    for block, use in unexplained:
        yield _unexplained(places, block, use, limits, slowest[block.transaction])


def _touching(by_transaction: Mapping[int, list[Statement]]) -> Mapping[int, Mapping[str, list[Statement]]]:
    """The statements of each transaction by the tables that they were seen to work on."""
    touching: dict[int, dict[str, list[Statement]]] = {}
    for number, statements in by_transaction.items():
        tables = touching[number] = defaultdict(list)
        for statement in statements:
            names = {lock.table or lock.relation for lock in statement.locks}
            for name in names.union(statement.rewrites, statement.scans):
                tables[name].append(statement)
    return touching


def _ordered(*lists: list[Statement]) -> list[Statement]:
    """Each once, in the order of the run."""
    unique = {(s.started_ms, s.sql): s for statements in lists for s in statements}
    return sorted(unique.values(), key=lambda statement: statement.started_ms)


def _judge(
    block: Block, statements: list[Statement], change: TableChange | None, limits: Limits, counted: bool
) -> Iterator[Judged]:
    for statement in statements:
        if not block.covers(statement):
            continue
        step = Step(statement, block, change, counted)
        cause = cause_of(step)
        if cause is None and WORK.applies(step):
            cause = WORK
        if cause and (each := _weighed(step, cause, limits)):
            yield each


def _weighed(step: Step, cause: Cause, limits: Limits) -> Judged | None:
    """An error if it was measured to hurt; a warning if the table is large, else a note; None if it is nothing."""
    block, own = step.block, limits.of(step.table)
    use = block.worst(own)
    ms, most, total = block.during(step.statement, use), limit(own, use), block.ms(use)
    hurts = total > most and ms >= SHARE * total
    if hurts:
        return Judged(step, cause, Severity.ERROR, use, ms, most, None)
    rows, changed = block.rows or 0, step.statement.rows or 0
    if cause is WORK and not is_backfill(step):
        return None
    if rows >= limits.large_table or (cause is WORK and changed > limits.batch):
        severity = Severity.WARNING
    elif cause.grows and rows >= MEASURABLE_ROWS:
        severity = Severity.NOTE
    else:
        return None
    size = forecast(changed if cause is WORK else rows, ms, most) if cause.grows else None
    return Judged(step, cause, severity, use, ms, most, size)


def _rest(block: Block, found_here: list[Judged], limits: Limits) -> Use | None:
    """The use that is over its limit even without what the causes explain."""
    own = limits.of(block.table)
    guilty = [each.step.statement for each in found_here]
    for use in Use:
        explained = sum(block.during(statement, use) for statement in guilty)
        if block.ms(use) - explained > limit(own, use):
            return use
    return None


def _finding(unit: UnitFacts, places: Places, group: list[Judged]) -> Finding:
    """The worst of the tables speaks; the others are named with it."""
    worst = group[0]
    step, block = worst.step, worst.step.block
    tables = list(dict.fromkeys(sized(each.step.table, each.step.block.rows) for each in group))
    total = block.ms(worst.use)
    part = f", {duration(worst.ms)} of it" if worst.ms < (1 - SHARE) * total else ""
    message = (
        f"{_uses(block, worst.use)} {listed(tables)} are blocked for {duration(total)}{part}"
        f" by {places.name(step.statement)}{', which ' if worst.cause.does else ''}{worst.cause.does}"
    )
    if holder := block.holder(step.statement):
        message += f", under the lock of statement {places.number(holder.by)}: {_first_words(places, holder.by)}"
    if worst.severity is Severity.ERROR:
        message += f" (limit: {duration(worst.limit)})"
    elif worst.forecast:
        size = f"when it changes {worst.forecast}" if worst.cause is WORK else f"from {worst.forecast} on"
        message += f"; {size} it would be over the limit of {duration(worst.limit)}"
    return found(
        worst.cause.rule,
        message,
        severity=worst.severity,
        quote=quoted(step.statement),
        fix=_fix(worst, unit.unit.system),
        evidence={**_evidence(places, block, step.statement), "tables": [each.step.table for each in group]},
        **places.details(step.statement),
    )


def _unexplained(places: Places, block: Block, use: Use, limits: Limits, slowest: list[Statement]) -> Finding:
    """The statement that took the lock, and the one that kept it longest."""
    rule = READS if use is Use.READS else WRITES
    taker = next(held.by for held in block.held if makes_wait(held.lock.mode, use))
    most = limit(limits.of(block.table), use)
    message = (
        f"{_uses(block, use)} {sized(block.table, block.rows)} are blocked for {duration(block.ms(use))}"
        f" by {places.name(taker)} (limit: {duration(most)})"
    )
    longest = max(slowest, key=lambda statement: block.during(statement, use))
    if longest is not taker and block.during(longest, use) > SHARE * block.ms(use):
        message += f"; {duration(block.during(longest, use))} of it passed in {places.name(longest)}"
    elif block.during(taker, use) < (1 - SHARE) * block.ms(use):
        message += "; its transaction stayed open for that long"
    return found(
        rule,
        message,
        quote=quoted(taker),
        evidence=_evidence(places, block, taker),
        **places.details(taker),
    )


def _uses(block: Block, use: Use) -> str:
    """What waits. A lock that blocks reads blocks writes as well."""
    both = use is Use.READS or block.ms(Use.READS) > (1 - SHARE) * block.ms(Use.WRITES)
    return "reads of and writes to" if both else "writes to"


def _first_words(places: Places, statement: Statement) -> str:
    return places.name(statement).partition(": ")[2]


def _fix(judged: Judged, system: str) -> str:
    form, change = judged.cause.form(judged.step), judged.step.change
    new = change.new_indexes[:1] if change and form is Form.CREATE_INDEX else ()
    columns = column_names(change.after, new[0].columns) if new and change and change.after else ()
    return advice(
        form, system, table=judged.step.table, index=new[0].name.rpartition(".")[2] if new else "", columns=columns
    )


def _evidence(places: Places, block: Block, statement: Statement) -> dict[str, object]:
    return {
        "table": block.table,
        "rows": block.rows,
        "reads_blocked_ms": round(block.ms(Use.READS), 1),
        "writes_blocked_ms": round(block.ms(Use.WRITES), 1),
        "modes": sorted({held.lock.mode for held in block.held}),
        "statement": statement.sql,
        "statement_number": places.number(statement),
        "transaction": block.transaction,
    }
