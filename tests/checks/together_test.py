"""What is said of two pushes: which git branch carries what, what stands in the way, which others there are."""

from __future__ import annotations

from typing import Any

from neon_hooks.changes import Range, Step
from neon_hooks.checks import judge
from neon_hooks.facts import DatabaseError, Earlier, Facts, OtherPush, Statement, ToolRun, UnitFacts
from neon_hooks.findings import Finding, Severity
from neon_hooks.outcome import Outcome
from neon_hooks.plan import Clash, Migration, Unit, Work
from neon_hooks.report import terminal

AFTER = Range("b" * 40, "c" * 40, "--with origin/x", "feature-y", after=(Step("origin/x", "a" * 40, "b" * 40),))
UNIT = UnitFacts(Work(Unit("sql", "", "migrations", ()), (), (Migration("4.sql", "migrations/4.sql", "0"),)))
FINE = ToolRun(("psql",), 0, 1.0, "")


def facts(range: Range = AFTER, **more: Any) -> Facts:
    return Facts(range, (UNIT,), **more)


def earlier(paths: tuple[str, ...] = ("migrations/3.sql",), run: ToolRun = FINE, **more: Any) -> Earlier:
    return Earlier("origin/x", "sql", paths, run, **more)


def only(found: tuple[Finding, ...]) -> Finding:
    (finding,) = found
    return finding


def test_what_came_first_is_told_with_its_files() -> None:
    fails = ToolRun(("alembic", "upgrade"), 1, 1.0, "boom")
    unit = UnitFacts(UNIT.work, first=fails)
    finding = only(judge(Facts(AFTER, (unit,), earlier=(earlier(),)), {}))
    assert finding.fix.startswith("if it does not fail alone: merge what goes first, and adapt the other one to it; else: ")
    assert finding.message == (
        "`alembic upgrade` ended with exit code 1, once origin/x (migrations/3.sql) is deployed before feature-y (migrations/4.sql)"
    )
    many = earlier(tuple(f"m/{n}.sql" for n in range(5)))
    assert "once origin/x (m/0.sql, m/1.sql, m/2.sql and 2 more) is deployed" in only(judge(Facts(AFTER, (unit,), earlier=(many,)), {})).message


def test_one_that_fails_when_it_goes_first_says_what_postgres_said_or_the_tool_or_what_is_missing() -> None:
    error = DatabaseError("42703", 'column "x" does not exist')
    statement = Statement("UPDATE t SET x = 1", path="migrations/3.sql", line=2, error=error)
    start = "origin/x (migrations/3.sql) does not run through before feature-y (migrations/4.sql): "
    for given, words, line in (
        (earlier(run=ToolRun(("psql",), 3, 1.0, "", (statement,))), 'column "x" does not exist (SQLSTATE 42703, undefined_column)', 2),
        (earlier(run=ToolRun(("goose", "up"), 1, 1.0, "no\nway\n")), "`goose up` ended with exit code 1", 0),
        (earlier(missing=("migrations/3.sql",)), "migrations/3.sql not recorded", 0),
    ):  # fmt: skip
        finding = only(judge(facts(earlier=(given,)), {}))
        assert (finding.rule, finding.message, finding.line) == ("fails-when-first", start + words, line)
    assert judge(facts(earlier=(earlier(),)), {}) == ()


def test_a_clash_names_its_files() -> None:
    clash = Clash("feature-y", ("origin/x", "origin/z"), ("a/_journal.json", "b.ts"))
    finding = only(judge(Facts(AFTER, clash=clash), {}))
    assert finding.message == "git cannot merge feature-y with origin/x and origin/z: 2 conflicts, so nothing was tried"
    assert (finding.severity, finding.path, finding.quote) == (Severity.ERROR, "a/_journal.json", "a/_journal.json\nb.ts")


def test_others_are_offered_on_a_line_each_also_where_nothing_is_wrong() -> None:
    plain = Range("a" * 40, "c" * 40, "refs/remotes/origin/main", "feature-y")
    others = (
        OtherPush("origin/x", ("migrations/3.sql",)),
        OtherPush("origin/z", (), "neon-hooks/z/1234", "git fetch origin"),
        *(OtherPush(f"origin/{n}", ("m",)) for n in range(4)),
    )
    given = facts(plain, others=others, asking="--to-ref feature-y")
    findings = judge(given, {})
    text = terminal.render(Outcome(given, findings), verbose=False, skip="", on_unavailable="block")
    assert text.splitlines() == [
        "note: origin/x brings migrations/3.sql, too; to try both: neon-hooks validate --to-ref feature-y --with origin/x [another-push]",
        "note: origin/z is tried just now on neon-hooks/z/1234; to try both: git fetch origin && neon-hooks validate"
        " --to-ref feature-y --with origin/z [another-push]",
        "note: origin/0 brings m, too (and 3 more git branches); to try both: neon-hooks validate --to-ref feature-y --with origin/0"
        " [another-push]",
    ]
    assert judge(given, {"another-push": "off"}) == ()
