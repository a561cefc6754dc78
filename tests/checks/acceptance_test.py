"""Accepted findings, and comments that accept nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neon_hooks.changes import Range
from neon_hooks.checks import CATALOGUE, judge
from neon_hooks.facts import DatabaseError, Facts, Statement, ToolRun, UnitFacts
from neon_hooks.findings import Finding, Severity
from neon_hooks.outcome import Outcome, Verdict
from neon_hooks.plan import Edit, Migration, Unit, Work
from neon_hooks.report import as_json, terminal
from neon_hooks.texts import with_texts
from neon_hooks.tree import Tree

PATH = "migrations/2.sql"
NEW = Migration("2.sql", PATH, "2")
WORK = Work(Unit("sql", "", "migrations", ("x",)), (NEW,), (NEW,))
RAN = ToolRun(("psql",), 0, 1.0, "")


def outcome(sql: str, rules: dict[str, str] | None = None, *, offline: bool = True, unit: UnitFacts | None = None) -> Outcome:
    read = with_texts(unit or UnitFacts(WORK), Tree.of({PATH: sql}))
    facts = Facts(Range("b" * 40, "t" * 40, "x"), (read,), offline=offline)
    return Outcome(facts, judge(facts, rules or {}))


def told(findings: tuple[Finding, ...]) -> list[tuple[str, Severity, str]]:
    return [(f.rule, f.severity, f.accepted) for f in findings]


ACCEPT = "-- neon-hooks: accept blocking-index-build because it has 200 rows\n"


def test_an_accepted_finding_is_a_note_with_its_reason_and_does_not_block() -> None:
    result = outcome(f"{ACCEPT}CREATE INDEX i\n  ON t (a);")
    assert told(result.findings) == [("blocking-index-build", Severity.NOTE, "it has 200 rows")]
    assert result.verdict == Verdict.PASS
    document = as_json.document(result)
    assert [f.get("accepted") for f in document["findings"] if "accepted" in f] == ["it has 200 rows"]
    text = terminal.render(result, verbose=True, skip="", on_unavailable="block")
    assert f"{PATH}:2: accepted because it has 200 rows: an index is built" in text
    assert terminal.render(result, verbose=False, skip="", on_unavailable="block") == ""


def test_it_speaks_for_its_statement_alone() -> None:
    result = outcome(f"CREATE INDEX h ON t (a);\n{ACCEPT}CREATE INDEX i ON t (a);\nCREATE INDEX j ON t (a);")
    assert [(f.line, bool(f.accepted)) for f in result.findings if f.rule == "blocking-index-build"] == [
        (1, False), (4, False), (3, True),
    ]  # fmt: skip
    assert result.verdict == Verdict.BLOCK


def test_it_speaks_for_its_rule_alone() -> None:
    result = outcome(f"{ACCEPT}ALTER TABLE t DROP COLUMN a;")
    assert told(result.findings) == [("breaking-drop", Severity.WARNING, "")]


def test_a_whole_file_is_accepted_wherever_the_comment_stands() -> None:
    sql = "CREATE INDEX i ON t (a);\nCREATE INDEX j ON t (a);\n-- neon-hooks: accept-file blocking-index-build because new"
    assert {accepted for _, _, accepted in told(outcome(sql).findings)} == {"new"}


def test_a_setting_does_not_revive_what_is_accepted() -> None:
    result = outcome(f"{ACCEPT}CREATE INDEX i ON t (a);", {"blocking-index-build": "error"})
    assert result.verdict == Verdict.PASS


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("accept blocking-index-build", "no reason"),
        ("accept blocking-index-buidl because x", "'blocking-index-buidl' is not a rule"),
        ("accept migration-fails because x", "cannot be accepted"),
        ("accept bad-acceptance because x", "cannot be accepted"),
        ("acept blocking-index-build because x", "'acept'"),
    ],
)
def test_a_comment_that_accepts_nothing_is_an_error_at_its_line(comment: str, words: str) -> None:
    findings = outcome(f"select 1;\n-- neon-hooks: {comment}\nCREATE INDEX i ON t (a);").findings
    (bad,) = [f for f in findings if f.rule == "bad-acceptance"]
    assert (bad.severity, bad.path, bad.line) == (Severity.ERROR, PATH, 2)
    assert words in bad.message
    assert any(f.rule == "blocking-index-build" and not f.accepted for f in findings)


def test_a_comment_that_matches_nothing_is_a_note_once_everything_is_known() -> None:
    sql = f"{ACCEPT}SELECT 1;"
    assert told(outcome(sql).findings) == []  # offline: a run may still find it
    ran = UnitFacts(WORK, first=RAN, schema_diff="+x")
    assert told(outcome(sql, offline=False, unit=ran).findings) == [("unused-acceptance", Severity.NOTE, "")]
    failed = replace(ran, first=replace(RAN, exit_code=1))
    assert "unused-acceptance" not in {f.rule for f in outcome(sql, offline=False, unit=failed).findings}


def test_what_proves_nothing_is_not_accepted() -> None:
    error = DatabaseError("23505", "duplicates")
    run = replace(RAN, exit_code=1, statements=(Statement("CREATE INDEX i ON t (a)", PATH, 2, error=error),))
    sql = "-- neon-hooks: accept migration-fails because I know\nCREATE INDEX i ON t (a);"
    result = outcome(sql, offline=False, unit=UnitFacts(WORK, first=run))
    assert {"migration-fails", "bad-acceptance"} <= {f.rule for f in result.findings if f.severity == Severity.ERROR}
    unproven = {"migration-fails", "not-applied", "unexpected-record", "not-on-test-branch", "second-run-fails"}
    assert not any(CATALOGUE[rule].acceptable for rule in unproven)


def test_a_finding_without_a_line_is_accepted_by_a_comment_anywhere_in_its_file() -> None:
    work = replace(WORK, pushed=(), edits=(Edit("2.sql", PATH, "edited"),))
    sql = "select 1;\n\n-- neon-hooks: accept edited-migration because only a comment changed\n\nselect 2;"
    result = outcome(sql, unit=UnitFacts(work))
    assert told(result.findings) == [("edited-migration", Severity.NOTE, "only a comment changed")]
