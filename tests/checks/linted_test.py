"""What the linter says beside what was observed: hand-written facts, and squawk over the core hazards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from neon_hooks.changes import Range
from neon_hooks.checks import CATALOGUE, judge
from neon_hooks.checks.linted import merged
from neon_hooks.checks.lints import LINTS, OFF
from neon_hooks.facts import (
    DatabaseError, Evidence, Facts, Linted, LockHeld, Lost, MigrationRun, Statement, ToolRun, UnitFacts,
)  # fmt: skip
from neon_hooks.findings import Finding, Severity, found
from neon_hooks.plan import Migration, Unit, Work
from neon_hooks.texts import with_texts
from neon_hooks.tree import Tree

RANGE = Range("b" * 40, "t" * 40, "main line")
PATH = "migrations/2.sql"
UNIT = Unit("sql", "", "migrations", ("migrations/",), {"single_transaction": "true"})
NEW = Migration("2.sql", PATH, "2")
WORK = Work(UNIT, (NEW,), (NEW,))


def read(sql: str, **options: str) -> UnitFacts:
    work = replace(WORK, unit=replace(UNIT, options={**UNIT.options, **options}))
    return with_texts(UnitFacts(work), Tree.of({PATH: sql}), 160004)


def judged(unit: UnitFacts, rules: dict[str, str] | None = None, **facts: Any) -> list[Finding]:
    return list(judge(Facts(RANGE, (unit,), **facts), rules or {}))


def offline(sql: str, **options: str) -> list[tuple[str, Severity, int]]:
    found = judged(read(sql, **options), offline=True)
    return [(f.rule, f.severity, f.line) for f in found if f.severity != Severity.NOTE]


def tried(sql: str, *statements: Statement, evidence: Evidence = Evidence.FULL, exit_code: int = 0) -> UnitFacts:
    ran = tuple(replace(statement, path=PATH) for statement in statements)
    run = ToolRun(("psql",), exit_code, 10.0, "", ran, evidence=evidence)
    migration = MigrationRun(NEW.id, PATH, "sql", pushed=True, applied=True, applied_before=False, statements=ran)
    return replace(read(sql), first=run, migrations=(migration,), schema_diff="+x")


def lock(rows: int | None = 1_000_000, *, existed: bool = True, mode: str = "AccessExclusiveLock") -> LockHeld:
    return LockHeld("public.t", mode, 5.0, existed, rows=rows, table="public.t")


# (SQL, the rule that finds it); the ten core hazards first.
HAZARDS = (
    ("ALTER TABLE t ADD COLUMN c int NOT NULL;", "breaking-required-column"),
    ("ALTER TABLE t ADD COLUMN c uuid DEFAULT gen_random_uuid();", "table-rewrite"),
    ("ALTER TABLE t ALTER COLUMN c SET NOT NULL;", "constraint-validated-under-lock"),
    ("CREATE INDEX i ON t (c);", "blocking-index-build"),
    ("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (c) REFERENCES o (id);", "constraint-validated-under-lock"),
    ("ALTER TABLE t ADD CONSTRAINT c CHECK (c > 0);", "constraint-validated-under-lock"),
    ("ALTER TABLE t ADD CONSTRAINT u UNIQUE (c);", "blocking-index-build"),
    ("ALTER TABLE t ALTER COLUMN c TYPE bigint;", "table-rewrite"),
    ("ALTER TABLE t RENAME COLUMN a TO b;", "breaking-rename"),
    ("ALTER TABLE t DROP COLUMN c;", "breaking-drop"),
    ("CREATE INDEX CONCURRENTLY i ON t (c);", "concurrently-in-transaction"),
    ("DROP INDEX i;", "blocking-index-drop"),
    ("REINDEX TABLE t;", "blocking-index-build"),
    ("ALTER TABLE t ADD COLUMN c bigint GENERATED ALWAYS AS (a + 1) STORED;", "table-rewrite"),
    ("ALTER TABLE t ADD PRIMARY KEY (a);", "blocking-index-build"),
    ("ALTER TABLE t ADD EXCLUDE USING gist (r WITH &&);", "blocking-index-build"),
    ("ALTER TABLE t ADD COLUMN c bigint REFERENCES o (id);", "constraint-validated-under-lock"),
    ("ALTER TABLE p DETACH PARTITION c;", "blocking-partition-detach"),
    ("TRUNCATE t CASCADE;", "truncate-cascade"),
    ("DROP TABLE t;", "breaking-drop"),
    ("DROP SCHEMA s;", "breaking-drop"),
    ("ALTER TABLE t RENAME TO u;", "breaking-rename"),
    ("ALTER TYPE t RENAME VALUE 'a' TO 'b';", "breaking-rename"),
    ("ALTER TABLE t SET SCHEMA s;", "breaking-rename"),
    ("SELECT 1 FROM;", "invalid-sql"),
    ("UPDATE t SET a = 1, a = 2;", "invalid-sql"),
)


@pytest.mark.parametrize(("sql", "rule"), HAZARDS)
def test_a_hazard_is_one_finding_at_its_line(sql: str, rule: str) -> None:
    """As grave as the rule is; a required column, which fails wherever there are rows, is an error in any case."""
    severity = Severity.ERROR if rule == "breaking-required-column" else CATALOGUE[rule].severity
    assert offline(f"-- a comment\n{sql}") == [(rule, severity, 2)]


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("DROP VIEW v;", "breaking-drop"),
        ("BEGIN; SELECT 1; COMMIT;", "nested-transaction"),
        (f"CREATE TABLE {'x' * 70} (a text);", "identifier-too-long"),
        ("ALTER TABLE t ALTER COLUMN c TYPE varchar(255);", "table-rewrite"),  # wider or narrower: who knows
        ("ALTER TABLE t ALTER COLUMN c TYPE text;", "table-rewrite"),
    ],
)
def test_what_may_be_harmless_is_a_warning(sql: str, rule: str) -> None:
    assert {(r, s) for r, s, _ in offline(sql)} == {(rule, Severity.WARNING)}


def test_not_valid_and_validate_belong_into_two_transactions() -> None:
    sql = "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c;"
    assert offline(sql) == [("not-valid-and-validate-in-one-transaction", Severity.ERROR, 2)]
    assert offline(sql, single_transaction="") == []


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE t ADD COLUMN c text;",
        "ALTER TABLE t ADD COLUMN c text DEFAULT 'x';",
        "ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 0;",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;",
        "ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i;",
        "CREATE TABLE n (a int REFERENCES o (id), b varchar(3), c char(3), d timestamp);",
        "CREATE TABLE n (a int);\nCREATE INDEX i ON n (a);\nALTER TABLE n ALTER a SET NOT NULL;",
        "CREATE TABLE n (a int);\nALTER TABLE n ADD CONSTRAINT u UNIQUE (a);\nALTER TABLE n RENAME a TO b;",
        "ALTER TYPE e ADD VALUE 'x';",
        "-- squawk-ignore require-concurrent-index-creation\nCREATE INDEX i ON t (a);",
        "SET lock_timeout = '5s';\nCOMMENT ON TABLE t IS 'x';",
        "",
    ],
)
@pytest.mark.parametrize("single_transaction", ["true", ""])
def test_the_harmless_is_quiet(sql: str, single_transaction: str) -> None:
    assert offline(sql, single_transaction=single_transaction) == []


def test_concurrently_outside_of_a_transaction_is_quiet() -> None:
    assert offline("CREATE INDEX CONCURRENTLY i ON t (c);", single_transaction="") == []


def test_a_run_that_saw_nothing_leaves_a_warning() -> None:
    sql = "CREATE INDEX i ON t (c);"
    for unit in (read(sql), tried(sql, evidence=Evidence.NONE)):
        (finding,) = judged(unit)
        assert (finding.rule, finding.severity) == ("blocking-index-build", Severity.WARNING)


INDEX, NOT_NULL = "CREATE INDEX i ON t (c)", "ALTER TABLE t ALTER c SET NOT NULL"
TYPE, REQUIRED = "ALTER TABLE t ALTER c TYPE bigint", "ALTER TABLE t ADD c int NOT NULL"
CONCURRENTLY = "CREATE INDEX CONCURRENTLY i ON t (c)"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (Statement(TYPE, line=1, locks=(lock(),)), "no table was rewritten"),
        (Statement(NOT_NULL, line=1, locks=(lock(),)), "no table was read in full"),
        (Statement(INDEX, line=1, locks=(lock(10),)), "public.t has 10 rows"),
        (Statement(INDEX, line=1, locks=(lock(1),)), "public.t has 1 row"),
        (Statement(INDEX, line=1, locks=(lock(existed=False),)), "no table was locked that existed before"),
        (Statement(REQUIRED, line=1, locks=(lock(),)), "it ran through on the rows of the copy"),
        (Statement(CONCURRENTLY, line=1), "Postgres ran it"),
        (Statement(INDEX, line=0, locks=(lock(10),)), "public.t has 10 rows"),  # known by its text
        (Statement("create  index i\non t(c)", line=1, locks=(lock(10),)), "public.t has 10 rows"),  # by its line
    ],
)
def test_an_observation_disproves_a_suspicion(statement: Statement, words: str) -> None:
    sql = statement.sql if "\n" not in statement.sql else INDEX
    findings = judged(tried(f"{sql};", statement))
    disproved = [f for f in findings if f.evidence.get("disproved")]
    assert [(f.severity, f.evidence["disproved"]) for f in disproved] == [(Severity.NOTE, words)]
    assert words in disproved[0].message
    assert all(f.severity == Severity.NOTE for f in findings)


@pytest.mark.parametrize(
    ("statement", "evidence", "data"),
    [
        (Statement(TYPE, line=1, locks=(lock(),), rewrites=("public.t",)), Evidence.FULL, "full"),
        (Statement(NOT_NULL, line=1, locks=(lock(),), scans=("public.t",)), Evidence.FULL, "full"),
        (Statement(INDEX, line=1, locks=(lock(),)), Evidence.FULL, "full"),
        (Statement(INDEX, line=1, locks=(lock(None),)), Evidence.FULL, "full"),  # how large is not known
        (Statement(INDEX, line=1, locks=(lock(0),)), Evidence.FULL, "schema-only"),  # here nothing has rows
        (Statement(REQUIRED, line=1, locks=(lock(0),)), Evidence.FULL, "schema-only"),
        (Statement(TYPE, line=1), Evidence.PARTIAL, "full"),  # not seen is not disproved
        (Statement(NOT_NULL, line=1), Evidence.NONE, "full"),
        (Statement(INDEX, line=1), Evidence.PARTIAL, "full"),
        (Statement("SELECT 1", line=7), Evidence.FULL, "full"),  # another statement
    ],
)
def test_a_suspicion_stands_where_nothing_speaks_against_it(statement: Statement, evidence: Evidence, data: str) -> None:
    sql = statement.sql if statement.line == 1 else INDEX
    findings = [f for f in judged(tried(f"{sql};", statement, evidence=evidence), data=data) if "linter" in f.evidence]
    assert findings[0].severity == Severity.WARNING and not findings[0].evidence.get("disproved")


def test_a_statement_that_failed_disproves_nothing() -> None:
    failed = Statement(INDEX, line=1, error=DatabaseError("23505", "no"))
    findings = judged(tried(f"{INDEX};", failed, exit_code=1))
    assert [f.severity for f in findings if f.rule == "blocking-index-build"] == [Severity.WARNING]


def test_a_setting_does_not_revive_what_is_disproved() -> None:
    unit = tried(f"{INDEX};", Statement(INDEX, line=1, locks=(lock(10),)))
    (finding,) = [f for f in judged(unit, {"blocking-index-build": "error"}) if f.rule == "blocking-index-build"]
    assert finding.severity == Severity.NOTE
    assert all(f.rule != "blocking-index-build" for f in judged(unit, {"blocking-index-build": "off"}))


def test_what_was_observed_as_well_is_one_finding_with_both_as_evidence() -> None:
    unit = tried(f"{INDEX};", Statement(INDEX, line=1, locks=(lock(),)))
    static = [f for f in judged(unit) if f.rule == "blocking-index-build"]
    rule = CATALOGUE["blocking-index-build"]
    for observed in (
        found(rule, "writes were blocked for 4 s", path=PATH, line=1, evidence={"held_ms": 4000}),
        found(rule, "writes were blocked for 4 s", path=PATH, evidence={"statement": INDEX}),
    ):
        (one,) = merged([observed, *static])
        assert (one.message, one.severity) == (observed.message, Severity.ERROR)
        assert one.evidence == {**observed.evidence, "linter": "require-concurrent-index-creation"}
    elsewhere = found(rule, "another statement", path=PATH, line=9)
    assert len(merged([elsewhere, *static])) == 2


def test_a_drop_whose_loss_was_counted_is_told_by_its_loss() -> None:
    drop = "ALTER TABLE t DROP COLUMN c"
    ran = Statement(drop, line=1, tag="ALTER TABLE", lost=(Lost("public.t", "c", 12_003),), locks=(lock(),))
    assert [f.rule for f in judged(tried(f"{drop};", ran)) if "drop" in f.rule] == ["data-dropped"]


def test_sql_that_only_code_knows_is_linted_as_it_was_recorded() -> None:
    migration = Migration("2", "m/versions/2.py", "2")
    unit = Unit("alembic", "", "m/versions", ("alembic.ini",))
    statements = (
        Statement("BEGIN", in_block=True),
        Statement("ALTER TABLE t ADD COLUMN c text", path=migration.path, in_block=True),
        Statement("CREATE INDEX i ON t (c);", path=migration.path, in_block=True, frames=(("x.py", 3), (migration.path, 12))),
        Statement("INSERT INTO alembic_version VALUES ($1, %(b)s)", path=migration.path, in_block=True),
        Statement("DROP INDEX j", path=migration.path, line=14, in_block=True),
    )
    run = MigrationRun("2", migration.path, "alembic", True, True, False, statements)
    facts = with_texts(UnitFacts(Work(unit, (migration,), (migration,)), (run,)), Tree.of({migration.path: ""}))
    assert [(each.rule, each.path, each.line) for each in facts.linted] == [
        ("require-concurrent-index-creation", migration.path, 12),
        ("require-concurrent-index-deletion", migration.path, 14),
    ]


def test_a_table_that_an_earlier_migration_of_the_push_creates_is_new() -> None:
    files = {"migrations/1.sql": "CREATE TABLE n (a int);", "migrations/2.sql": "ALTER TABLE n ALTER a SET NOT NULL;"}
    history = tuple(Migration(path, path, path) for path in files)
    unit = with_texts(UnitFacts(Work(UNIT, history, history)), Tree.of(files))
    assert [(each.path, each.new_table) for each in unit.linted if each.rule == "adding-not-nullable-field"] == [
        ("migrations/2.sql", True)
    ]


def test_the_projects_squawk_toml_is_obeyed() -> None:
    def rules(toml: str, sql: str = "CREATE INDEX i ON t (a);") -> list[str]:
        unit = with_texts(UnitFacts(WORK), Tree.of({PATH: sql, ".squawk.toml": toml}))
        return [f.rule for f in judged(unit, offline=True) if f.severity != Severity.NOTE]

    assert rules("") == ["blocking-index-build"]
    assert rules('excluded_rules = ["require-concurrent-index-creation"]') == []
    assert rules('excluded_paths = ["migrations/*"]') == []
    assert rules('excluded_paths = ["2.sql"]') == []
    assert rules('included_rules = ["require-table-schema"]', "CREATE TABLE n (a text);") == ["squawk"]
    assert rules('included_rules = ["prefer-text-field"]', "CREATE TABLE n (a varchar(3));") == ["squawk"]


def test_one_statement_with_two_suspicions_of_one_rule_is_one_finding() -> None:
    assert offline("ALTER TABLE t\n  DROP COLUMN a,\n  DROP COLUMN b;") == [("breaking-drop", Severity.WARNING, 2)]


def test_every_rule_of_squawks_has_one_place() -> None:
    assert not set(OFF) & {lint.squawk for lint in LINTS}
    assert all(lint.rule.id in CATALOGUE for lint in LINTS)


def test_a_rule_that_is_not_in_the_table_is_told_in_squawks_words() -> None:
    unit = UnitFacts(WORK, linted=(Linted("ban-something", PATH, 3, "It is banned.", sql="x", first=3, last=3),))
    (finding,) = judged(unit, offline=True)
    assert (finding.rule, finding.severity, finding.line) == ("squawk", Severity.WARNING, 3)
    assert "ban-something" in finding.message and "It is banned." in finding.message
