"""What people and programs read. The texts are pure functions of an Outcome."""

from __future__ import annotations

import json
from dataclasses import replace

from neon_hooks.changes import Range
from neon_hooks.errors import Unavailable
from neon_hooks.facts import (
    DatabaseError, Deployed, Facts, MigrationRun, NeonBranch, Statement, ToolRun, TriedInsert, TriedQuery, UnitFacts,
)  # fmt: skip
from neon_hooks.checks import judge
from neon_hooks.outcome import Outcome, Verdict, exit_code
from neon_hooks.plan import Migration, Unit, Work
from neon_hooks.queries import Query
from neon_hooks.report import as_json, as_markdown, saved, terminal
from neon_hooks.report.html import page

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


def test_how_much_of_the_deployed_code_was_tried_is_in_every_report_also_in_one_of_a_saved_run() -> None:
    broken = TriedQuery(Query("select a from t", "q.sql", 3), ERROR, "a")
    old = Deployed(
        files=1_199, production=5, tried=1_200, broken=(broken,), skipped=2, unread="it sleeps", inserts=1,
        refused=(TriedInsert("public.t", ("a",), ERROR, "n"),), untried=("public.u",),
    )  # fmt: skip
    plain = outcome()
    made = replace(plain, facts=replace(plain.facts, units=(replace(plain.facts.units[0], deployed=old),)))
    made = replace(made, findings=judge(made.facts, {}))
    said = (
        "eployed code, by sql in db: 1 200 of 1 204 known queries could be tried, 1 breaks; 2 statements there are no queries;"
        " production's are not known: it sleeps; an INSERT was tried in 1 table, 1 is refused;"
        " none could be in 1 changed table"
    )
    saved_run = as_json.render([made])
    for each in (made, *saved.read(saved_run, "RUN.json")):
        assert "d" + said in text(each)
        assert f"D{said}." in as_markdown.render([each])
        assert f"D{said}.".replace("'", "&#x27;") in page.render([each])
    assert json.loads(saved_run)["systems"][0]["facts"]["deployed"]["tried"] == 1_200
    nothing = replace(plain, facts=replace(plain.facts, units=(replace(plain.facts.units[0], deployed=Deployed()),)))
    assert "deployed code" not in text(nothing, verbose=True)
