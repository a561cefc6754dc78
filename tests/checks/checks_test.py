"""Checks judge Facts and nothing else, so each case is a few lines of data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from neon_hooks.changes import Range
from neon_hooks.checks import CATALOGUE, check_rule_ids, judge
from neon_hooks.errors import UsageError
from neon_hooks.facts import DatabaseError, DownAndUp, Facts, MigrationRun, Statement, ToolRun, UnitFacts
from neon_hooks.findings import Finding, Severity
from neon_hooks.plan import Edit, Migration, Proof, Unit, Work

UNIT = Unit("alembic", "", "migrations/versions", ("alembic.ini",))
OLD, NEW = Migration("a1", "migrations/versions/a1.py", "1"), Migration("b2", "migrations/versions/b2.py", "2")
WORK = Work(UNIT, (OLD, NEW), (NEW,))
RAN = ToolRun(("alembic", "upgrade", "heads"), 0, 10.0, "done")
APPLIED = MigrationRun(NEW.id, NEW.path, "alembic", pushed=True, applied=True, applied_before=False)
GOOD = UnitFacts(
    WORK, (APPLIED,), RAN, again=RAN, rows_before=frozenset({"a1"}), rows_after=frozenset({"b2"}), schema_diff="+x"
)


def judged(rules: dict[str, str] | None = None, **changes: Any) -> list[Finding]:
    unit = replace(GOOD, **changes)
    return list(judge(Facts(Range("base" * 10, "t" * 40, "main line"), (unit,)), rules or {}))


def failed(error: DatabaseError) -> ToolRun:
    return replace(RAN, exit_code=1, statements=(Statement("ALTER TABLE t\n  ADD x int", NEW.path, 3, error=error),))


def test_a_run_that_is_proven_has_no_findings() -> None:
    assert judged() == []


def test_a_refused_statement_is_told_in_postgres_own_words() -> None:
    error = DatabaseError("23505", "could not create unique index", "Key (a)=(1) is duplicated.", "a hint")
    (finding,) = judged(first=failed(error), again=None)
    assert (finding.rule, finding.severity) == ("migration-fails", Severity.ERROR)
    assert (finding.path, finding.line) == (NEW.path, 3)
    assert finding.message == error.message
    assert finding.quote.splitlines() == [
        "ALTER TABLE t",
        "  ADD x int",
        "SQLSTATE 23505 (unique_violation)",
        "DETAIL: Key (a)=(1) is duplicated.",
        "HINT: a hint",
    ]
    assert "duplicates" in finding.fix
    assert finding.evidence["sqlstate"] == "23505"


def test_what_the_server_lacks_is_no_mistake_of_the_migration() -> None:
    error = DatabaseError("0A000", 'extension "http" is not available')
    (finding,) = judged(first=failed(error), again=None)
    assert (finding.rule, finding.severity, finding.line) == ("server-lacks", Severity.ERROR, 3)
    assert finding.message == 'the server lacks extension "http"' and "neon.com/docs/extensions" in finding.fix
    facts = Facts(Range("b" * 40, "t" * 40, "x"), (replace(GOOD, first=failed(error), again=None),), stand_in=True)
    assert list(judge(facts, {})) == []


def test_without_a_package_of_the_projects_nothing_is_said_of_the_migration() -> None:
    run = replace(RAN, exit_code=1, output="Error: Cannot find module 'mime-types'")
    assert judged(first=run, again=None) == []


def test_a_migration_that_the_push_deletes_is_not_also_one_that_the_push_does_not_have() -> None:
    work = replace(WORK, edits=(Edit("c3", "migrations/versions/c3.py", "deleted"),))
    assert "behind-main" not in [finding.rule for finding in judged(work=work, unknown_rows=frozenset({"c3"}))]
    assert "behind-main" in [finding.rule for finding in judged(work=work, unknown_rows=frozenset({"c3", "d4"}))]


def test_an_unknown_sqlstate_still_has_a_fix() -> None:
    (finding,) = judged(first=failed(DatabaseError("XX000", "oops")), again=None)
    assert finding.fix == CATALOGUE["migration-fails"].fix


def test_a_long_statement_is_shortened() -> None:
    statement = Statement("\n".join(map(str, range(100))), NEW.path, 1, error=DatabaseError("42601", "no"))
    (finding,) = judged(first=replace(RAN, exit_code=1, statements=(statement,)), again=None)
    assert "... (70 more lines)" in finding.quote


def test_a_tool_that_gives_up_by_itself_is_quoted_and_what_it_lacked_is_named() -> None:
    run = replace(RAN, exit_code=2, output="Traceback\nKeyError: 'X'", replaced=("STRIPE_API_KEY",))
    pending = replace(APPLIED, applied=False)
    (finding,) = judged(first=run, again=None, migrations=(pending,))
    assert finding.message == "`alembic upgrade heads` ended with exit code 2"
    assert finding.path == NEW.path
    assert finding.quote == "Traceback\nKeyError: 'X'"
    assert finding.fix.startswith("Postgres refused no statement")
    assert "STRIPE_API_KEY" in finding.fix and "env_passthrough" in finding.fix


def test_success_without_any_trace_may_have_migrated_another_database() -> None:
    nothing = {"rows_after": frozenset({"a1"}), "schema_diff": "", "proof": Proof(missing=frozenset({"b2"}))}
    (finding,) = judged(**nothing, migrations=(replace(APPLIED, applied=False),))
    assert finding.rule == "not-on-test-branch"
    assert "did not touch the test Neon database branch; it may have migrated another database" in finding.message
    assert finding.path == NEW.path


def test_a_migration_that_the_tool_passed_over_is_named() -> None:
    (finding,) = judged(proof=Proof(missing=frozenset({"b2"})))
    assert (finding.rule, finding.path) == ("not-applied", NEW.path)


def test_a_record_that_nothing_explains_is_an_error() -> None:
    (finding,) = judged(proof=Proof(unexpected=frozenset({"zz"})))
    assert (finding.rule, finding.severity) == ("unexpected-record", Severity.ERROR)
    assert "zz" in finding.message


def test_the_proof_is_not_judged_when_the_tool_failed_anyway() -> None:
    run = failed(DatabaseError("42601", "no"))
    findings = judged(first=run, again=None, proof=Proof(missing=frozenset({"b2"})))
    assert [finding.rule for finding in findings] == ["migration-fails"]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"again": replace(RAN, exit_code=1)}, "second-run-fails"),
        ({"again_diff": "+index"}, "second-run-changes"),
    ],
)
def test_a_second_run_must_be_a_no_op(changes: dict[str, Any], rule: str) -> None:
    assert [finding.rule for finding in judged(**changes)] == [rule]


def test_a_status_command_that_disagrees_is_quoted() -> None:
    (finding,) = judged(status=replace(RAN, argv=("check",), exit_code=3, output="2 are pending"))
    assert (finding.rule, finding.severity) == ("status-disagrees", Severity.ERROR)
    assert "`check` ended with exit code 3" in finding.message and finding.quote == "2 are pending"
    assert judged(status=RAN) == []


@pytest.mark.parametrize(
    ("trial", "severities"),
    [
        (DownAndUp(RAN, up=RAN), []),
        (DownAndUp(replace(RAN, exit_code=1)), [Severity.WARNING]),
        (DownAndUp(RAN, "+column a.b", RAN), [Severity.WARNING]),
        (DownAndUp(RAN, "+column a.b", replace(RAN, exit_code=1)), [Severity.ERROR, Severity.WARNING]),
    ],
)
def test_only_a_migration_that_cannot_be_applied_again_blocks(trial: DownAndUp, severities: list[Severity]) -> None:
    findings = judged(down_and_up=trial)
    assert [finding.severity for finding in findings] == severities
    assert {finding.rule for finding in findings} <= {"not-reversible"}
    assert all(finding.path == NEW.path for finding in findings)


@pytest.mark.parametrize(
    ("pending", "severity"),
    [(frozenset(), Severity.ERROR), (None, Severity.ERROR), (frozenset({"a1"}), Severity.WARNING)],
)
@pytest.mark.parametrize("what", ["edited", "renamed", "deleted"])
def test_a_changed_old_migration_is_an_error_unless_main_has_not_applied_it(
    pending: frozenset[str] | None, severity: Severity, what: str
) -> None:
    work = replace(WORK, edits=(Edit("a1", OLD.path, what, "new.py" if what == "renamed" else ""),))
    (finding,) = judged(work=work, pending_on_main=pending)
    assert (finding.rule, finding.severity, finding.path) == ("edited-migration", severity, OLD.path)
    assert finding.message.startswith(what)
    assert f"git checkout {'base' * 3} -- {OLD.path}" in finding.fix


def test_rows_that_the_push_does_not_know_are_a_warning() -> None:
    (finding,) = judged(unknown_rows=frozenset({"c3"}))
    assert (finding.rule, finding.severity) == ("behind-main", Severity.WARNING)
    assert "1 migration that" in finding.message and "c3" in finding.message


def test_a_migration_that_main_has_already_is_a_note() -> None:
    (finding,) = judged(migrations=(replace(APPLIED, applied=False, applied_before=True),))
    assert (finding.rule, finding.severity) == ("already-applied", Severity.NOTE)


def test_the_settings_decide_severities_and_errors_come_first() -> None:
    work = replace(WORK, edits=(Edit("a1", OLD.path, "edited"),))
    findings = judged(
        {"edited-migration": "note", "behind-main": "error"}, work=work, unknown_rows=frozenset({"c3"})
    )
    assert [(f.rule, f.severity) for f in findings] == [
        ("behind-main", Severity.ERROR),
        ("edited-migration", Severity.NOTE),
    ]
    assert judged({"behind-main": "off"}, unknown_rows=frozenset({"c3"})) == []


def test_a_rule_that_does_not_exist_is_refused_with_the_valid_ones() -> None:
    check_rule_ids({"edited-migration": "off"}, "file")
    with pytest.raises(UsageError, match="edited-migrations") as error:
        check_rule_ids({"edited-migrations": "off"}, ".neon-hooks.toml")
    assert "edited-migration" in error.value.fix and ".neon-hooks.toml" in error.value.message


def test_every_rule_says_when_why_and_what_to_do() -> None:
    for rule in CATALOGUE.values():
        assert rule.condition.endswith(".") and rule.effect.endswith(".") and rule.fix


def numbered(*numbers: str, pushed: int = 1, downs: frozenset[str] | None = None) -> dict[str, Any]:
    history = tuple(Migration(f"{n}_{i}.sql", f"m/{n}_{i}.sql", str(i)) for i, n in enumerate(numbers))
    work = Work(UNIT, history, history[-pushed:], numbers={m.id: m.id.partition("_")[0] for m in history}, downs=downs)
    return {"work": work, "migrations": ()}


@pytest.mark.parametrize(
    ("numbers", "rules"),
    [
        (("1", "2", "3"), []),
        (("1", "2", "2"), ["duplicate-number"]),
        (("1", "1", "2"), []),  # an old one, which the push did not make
        (("1", "9", "10"), []),
        (("1", "10", "9"), ["out-of-order"]),
        (("1.9", "1.10"), []),
        (("1.10", "1.9"), ["out-of-order"]),
        (("7",), []),
    ],
)
def test_numbers_must_be_free_and_come_last(numbers: tuple[str, ...], rules: list[str]) -> None:
    assert [finding.rule for finding in judged(**numbered(*numbers))] == rules


@pytest.mark.parametrize(
    ("downs", "rules"),
    [
        (None, []),
        (frozenset(), []),
        (frozenset({"1_0.sql"}), []),  # half of them is no habit
        (frozenset({"1_0.sql", "2_1.sql"}), ["missing-down"]),
        (frozenset({"1_0.sql", "2_1.sql", "3_2.sql"}), []),
    ],
)
def test_a_down_file_is_missed_where_the_project_has_them(downs: frozenset[str] | None, rules: list[str]) -> None:
    assert [finding.rule for finding in judged(**numbered("1", "2", "3", downs=downs))] == rules


def test_applied_files_with_another_checksum_are_one_warning_unless_the_push_edits_one() -> None:
    (finding,) = judged(mismatched=frozenset({"a1"}))
    assert (finding.rule, finding.severity, finding.path) == ("checksum-mismatch", Severity.WARNING, OLD.path)
    work = replace(WORK, edits=(Edit("a1", OLD.path, "edited"),))
    assert [finding.rule for finding in judged(work=work, mismatched=frozenset({"a1"}))] == ["edited-migration"]


def graph(*edges: tuple[str, str], pushed: int) -> dict[str, Any]:
    history = tuple(
        Migration(id.rpartition("/")[2], f"{id}.py", id, (parent,) if parent else ()) for id, parent in edges
    )
    return {"work": Work(UNIT, history, history[-pushed:], is_graph=True), "migrations": ()}


@pytest.mark.parametrize(
    ("edges", "pushed", "rules"),
    [
        ([("v/a", ""), ("v/b", "a")], 1, []),
        ([("v/a", ""), ("v/b", "a"), ("v/c", "a")], 1, ["several-heads"]),
        ([("v/a", ""), ("v/b", "a"), ("v/c", "a"), ("v/d", "b")], 1, []),  # both were there
        ([("v/a", ""), ("v/b", "")], 1, ["several-heads"]),
        ([("v/a", ""), ("w/b", "")], 1, []),  # another app's first
        ([("v/a", ""), ("v/b", "")], 2, []),  # the first push of all
    ],
)
def test_the_push_may_not_add_a_head(edges: list[tuple[str, str]], pushed: int, rules: list[str]) -> None:
    assert [finding.rule for finding in judged(**graph(*edges, pushed=pushed))] == rules


def test_what_has_no_way_back_is_named_once_with_the_way_that_neon_has() -> None:
    one_way = replace(WORK, one_way=frozenset({NEW.id}))
    for work in (replace(WORK, all_one_way=True), replace(one_way, downs=frozenset({OLD.id, NEW.id}))):
        (note,) = judged(work=work)
        assert (note.rule, note.severity, note.path) == ("irreversible", Severity.NOTE, NEW.path)
        assert "restore the main Neon database branch" in note.fix
    assert [finding.rule for finding in judged(work=replace(one_way, downs=frozenset({OLD.id})))] == ["missing-down"]
