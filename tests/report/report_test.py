"""What people and programs read. The texts are pure functions of an Outcome."""

from __future__ import annotations

import json
from dataclasses import replace

from neon_hooks.changes import Range
from neon_hooks.errors import Unavailable
from neon_hooks.facts import DatabaseError, Facts, MigrationRun, NeonBranch, Statement, ToolRun, UnitFacts
from neon_hooks.checks import judge
from neon_hooks.outcome import Outcome, Verdict, exit_code
from neon_hooks.plan import Migration, Unit, Work
from neon_hooks.report import as_json, terminal

RANGE = Range("b" * 40, "c" * 40, "refs/remotes/origin/main", "feature")
MIGRATION = Migration("0002_x.sql", "db/migrations/0002_x.sql", "1")
WORK = Work(Unit("sql", "db", "db/migrations", ("numbered files",)), (MIGRATION,), (MIGRATION,))
ERROR = DatabaseError("23502", 'column "n" of relation "a" contains null values')
STATEMENT = Statement("ALTER TABLE a\nADD n int NOT NULL", MIGRATION.path, 7, 1.23456, 2.5, 1, error=ERROR)
NEON_BRANCH = NeonBranch("br-1", "neon-hooks/x", "br-0", "main", "2026-01-01T00:00:00Z", deleted=True)


def outcome(*, error: DatabaseError | None = None, why: Unavailable | None = None) -> Outcome:
    statement = replace(STATEMENT, error=error)
    run = ToolRun(("psql",), 3 if error else 0, 1.0, "", (statement,))
    migration = MigrationRun(MIGRATION.id, MIGRATION.path, "sql", True, not error, False, (statement,))
    unit = UnitFacts(WORK) if why else UnitFacts(WORK, (migration,), run, schema_diff="+column a.n")
    facts = Facts(RANGE, (unit,), None if why else NEON_BRANCH, {"apply": 900.0, "total": 1200.0})
    return Outcome(facts, judge(facts, {}), why)


def text(result: Outcome, *, verbose: bool = False, on_unavailable: str = "block") -> str:
    return terminal.render(
        result, verbose=verbose, skip="git push --no-verify", on_unavailable=on_unavailable
    )


def test_success_is_silent_and_verbose_names_range_migrations_and_place() -> None:
    assert text(outcome()) == ""
    said = text(outcome(), verbose=True)
    assert f"range: {'b' * 12}..{'c' * 12} (refs/remotes/origin/main)" in said
    assert "    new: db/migrations/0002_x.sql" in said
    assert "+column a.n" in said
    assert said.endswith(
        "validated 1 pushed migration, tried on the test Neon database branch br-1 of main (deleted) in 1.2 s"
    )


def test_migrations_that_share_a_file_are_told_apart_by_their_ids() -> None:
    two = tuple(replace(MIGRATION, id=id) for id in ("db/x.xml::1::a", "db/x.xml::2::a"))
    result = outcome(why=Unavailable("no key"))
    result = replace(result, facts=replace(result.facts, units=(UnitFacts(replace(WORK, pushed=two)),)))
    said = text(result, verbose=True)
    assert f"    new: {MIGRATION.path} (db/x.xml::1::a)\n    new: {MIGRATION.path} (db/x.xml::2::a)\n" in said
    assert f"not validated: {MIGRATION.path} (db/x.xml::1::a), {MIGRATION.path} (db/x.xml::2::a)" in said


def test_nothing_to_do_is_silent_and_verbose_says_so() -> None:
    empty = Outcome(Facts(RANGE))
    assert text(empty) == ""
    assert text(empty, verbose=True).endswith("no migrations in this push")


def test_a_blocked_push_shows_place_statement_reason_and_remedy() -> None:
    lines = text(outcome(error=ERROR)).splitlines()
    assert lines[0] == (
        'db/migrations/0002_x.sql:7: column "n" of relation "a" contains null values [migration-fails]'
    )
    assert lines[1:4] == ["    ALTER TABLE a", "    ADD n int NOT NULL", "    SQLSTATE 23502 (not_null_violation)"]
    assert lines[4].startswith("  why: ") and lines[5].startswith("  fix: ")
    assert lines[-2].startswith("blocked: 1 error in 1 pushed migration")
    assert lines[-1] == "to skip this check once: git push --no-verify"


def test_what_is_unknown_is_said_with_the_migrations_that_were_not_validated() -> None:
    result = outcome(why=Unavailable("NEON_API_KEY is not set", fix="make one"))
    said = text(result)
    assert said.startswith("could not validate: NEON_API_KEY is not set\n  fix: make one")
    assert "not validated: db/migrations/0002_x.sql" in said
    assert said.endswith("to go on without the answer: git push --no-verify")
    assert (result.verdict, exit_code(result, "block"), exit_code(result, "warn")) == (Verdict.UNKNOWN, 3, 0)
    assert "let through all the same" in text(result, on_unavailable="warn")


def test_an_error_that_was_found_wins_over_what_stayed_unknown() -> None:
    result = replace(outcome(error=ERROR), error=Unavailable("the network broke"))
    assert result.verdict == Verdict.BLOCK
    assert exit_code(result, "warn") == 1


def test_a_left_over_is_always_said() -> None:
    assert "warning: neon-hooks/x remains" in text(replace(outcome(), left_over="neon-hooks/x remains"))


def test_the_json_has_the_fixed_shape() -> None:
    document = json.loads(as_json.render((outcome(error=ERROR),)))
    assert document["format"] == 1
    assert document["verdict"] == "block"
    assert {"base": "b" * 40, "target": "c" * 40, "rule": RANGE.rule}.items() <= document["range"].items()
    assert document["neon_branch"]["deleted"] is True
    assert document["neon_branch"]["expires_at"] == "2026-01-01T00:00:00Z"
    (system,) = document["systems"]
    (run,) = system["runs"]
    assert {"argv", "exit_code", "ms", "replayed", "changed"} <= set(run)
    assert {
        "system": "sql", "root": "db", "migrations_dir": "db/migrations", "evidence": ["numbered files"]
    }.items() <= system.items()  # fmt: skip
    (migration,) = document["migrations"]
    assert (migration["id"], migration["path"], migration["applied"]) == (MIGRATION.id, MIGRATION.path, False)
    (statement,) = migration["statements"]
    assert {"sql", "line", "started_ms", "ms", "transaction", "locks", "rewrites", "scans", "rows"} <= set(statement)
    (finding,) = document["findings"]
    assert set(finding) >= {"rule", "severity", "message", "path", "line", "system", "evidence", "fix"}
    assert document["schema_diff"] == "+column a.n"
    assert document["timings"] == {"apply": 900.0, "total": 1200.0}


def test_the_json_of_an_unknown_verdict_says_why_and_lists_the_migrations() -> None:
    document = json.loads(as_json.render((outcome(why=Unavailable("no key", fix="make one")),)))
    assert document["verdict"] == "unknown"
    assert document["error"] == {"message": "no key", "fix": "make one"}
    assert document["neon_branch"] is None
    assert [migration["applied"] for migration in document["migrations"]] == [False]
