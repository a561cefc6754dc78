"""Trial: run the pushed migrations with the project's own tool, and prove from the database that it worked.

Main's bookkeeping came with the data, so the tool does what it will do on the main Neon database branch:
apply what is pending there. The proof is the bookkeeping afterwards, never the exit code alone.
"""

from __future__ import annotations

from dataclasses import replace

from neon_hooks.database.inspect import difference
from neon_hooks.facts import MigrationRun, ToolRun, UnitFacts
from neon_hooks.plan import Bookkeeping, Proof, Work
from neon_hooks.run.journal import attribute
from neon_hooks.systems.base import System, ids, kept
from neon_hooks.trials.account import with_new_files
from neon_hooks.trials.flight import flight
from neon_hooks.trials.place import Place, Sight, Start, look
from neon_hooks.trials.statements import explained, located


def apply(system: System, work: Work, place: Place, before: Sight, start: Start) -> UnitFacts:
    """Run the tool once under the flight recorder. ``before`` is what the database holds, with its tables."""
    bookkeeping = kept(system, work.unit)
    own = {bookkeeping.table, f"{bookkeeping.table}_lock"} if bookkeeping else set()
    run = flight(place, start, before.catalogue, redact=place.redact, unrecorded=frozenset(own))
    after = look(place, bookkeeping, tables=True)
    run = with_new_files(run, before.catalogue, after.catalogue)
    facts = UnitFacts(
        work=work,
        first=run,
        schema_diff=difference(before.schema, after.schema),
        before=before.catalogue,
        after=after.catalogue,
    )
    if bookkeeping is None:
        return _without_record(system, facts, run)
    return _by_bookkeeping(system, facts, bookkeeping, run, before, after, place)


def _without_record(system: System, facts: UnitFacts, run: ToolRun) -> UnitFacts:
    """Nothing in the database says what is applied: the run itself must."""
    work = facts.work
    finished = bool(run.exit_code) or system.finished(run.output, bool(facts.schema_diff))
    done = _completed(work, run) if finished else frozenset()
    missing = frozenset() if finished else ids(work.pushed)
    return replace(facts, migrations=_runs(work, run, frozenset(), done), proof=Proof(missing=missing))


def _by_bookkeeping(
    system: System,
    facts: UnitFacts,
    bookkeeping: Bookkeeping,
    run: ToolRun,
    before: Sight,
    after: Sight,
    place: Place,
) -> UnitFacts:
    work = facts.work
    skipped = system.skipped(work.unit, before.ids, work.history, work.pushed)
    applied_before = system.applied(before.ids, work.history) - skipped
    applied_after = system.applied(after.ids, work.history) - skipped
    statements = attribute(run.statements, work.history, bookkeeping, applied=applied_before)
    run = replace(run, statements=located(statements, place.checkout))
    proof = system.prove(before.ids, after.ids, work.history, work.pushed)
    stopped_at = next((m.path for m in work.history if m.id not in applied_after | skipped), "")
    run = explained(run, system.explain(run.output), stopped_at, place.checkout)
    return replace(
        facts,
        first=run,
        migrations=_runs(work, run, applied_before, applied_after),
        rows_before=before.rows,
        rows_after=after.rows,
        unknown_rows=system.unknown(before.ids, work.history),
        pending_on_main=frozenset(migration.id for migration in work.history) - applied_before,
        skipped=skipped,
        mismatched=_mismatched(work, before) | (system.refused(run.output) if run.exit_code else frozenset()),
        proof=replace(proof, missing=proof.missing - skipped),
        bookkeeping=bookkeeping.table,
    )


def _mismatched(work: Work, before: Sight) -> frozenset[str]:
    """What main has applied with another checksum than that of the file as it is pushed."""
    records = before.records or {}
    held = {m.id: records.get(m.id) or records.get(m.row) for m in work.history}
    return frozenset(id for id, right in work.checksums.items() if held.get(id) and held[id] not in right)


def _completed(work: Work, run: ToolRun) -> frozenset[str]:
    """Without a bookkeeping we ran the files ourselves: those that ran to their end are applied."""
    failed = {statement.path for statement in run.statements if statement.error}
    started = {statement.path for statement in run.statements}
    return frozenset(m.id for m in work.pushed if m.path in started - failed or not run.exit_code)


def _runs(
    work: Work, run: ToolRun, applied_before: frozenset[str], applied_after: frozenset[str]
) -> tuple[MigrationRun, ...]:
    """The pushed migrations, and every other one that the tool applied with them, in order."""
    pushed = {migration.id for migration in work.pushed}
    applied = applied_after - applied_before
    return tuple(
        MigrationRun(
            id=migration.id,
            path=migration.path,
            system=work.unit.system,
            pushed=migration.id in pushed,
            applied=migration.id in applied,
            applied_before=migration.id in applied_before,
            statements=tuple(s for s in run.statements if s.path == migration.path),
        )
        for migration in work.history
        if migration.id in pushed | applied
    )
