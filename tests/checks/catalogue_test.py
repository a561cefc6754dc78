"""The examples of the catalogue, executed: what a rule calls bad is found, what it calls good is not.

``observe`` is whatever sends messages to a database and says what happened; the examples know nothing of it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

from neon_hooks.changes import Range
from neon_hooks.checks import CATALOGUE, judge
from neon_hooks.sqlscript import split
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator, binaries
from neon_hooks.facts import Evidence, Facts, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity
from neon_hooks.limits import Limits
from tests.checks.watching import fly, watch, with_old_code
from tests.fix_database import postgres_versions
from tests.fix_systems import query


class Observe(Protocol):
    """``messages`` are sent one after the other in one session; ``before`` went wrong earlier. ``old_code``: what
    the deployed code does is tried around them.
    """

    def __call__(self, messages: Sequence[str], before: str = "", *, old_code: bool = False) -> UnitFacts: ...


SHOP = Path(__file__).parent.parent / "catalogue.sql"
ROWS = 20_000
# Tables are smaller here than in production, and machines that test are busy; the examples sleep for a second.
LIMITS = Limits(reads_blocked=800, writes_blocked=800, large_table=10_000, batch=1_000)
RANGE = Range("b" * 40, "t" * 40, "main line")
NUMBERS = itertools.count(1)
# What must have gone wrong before an example begins: as many customers have the same code, this leaves an
# INVALID index behind.
BEFORE = {"invalid-index": "CREATE UNIQUE INDEX CONCURRENTLY customers_code ON customers (country_code)"}
# What is found by trying what the deployed code does, and nothing else.
OLD_CODE = {"breaks-deployed-query", "breaks-deployed-insert", "changes-deployed-query"}
# What can only be tried as it stands: Postgres allows it no transaction, or it is about transactions.
AS_IT_STANDS = {"concurrently-in-transaction", "nested-transaction", "invalid-index", "lock-timeout-with-concurrently"}
# What nothing tells of a DO block that is a transaction of its own: which of its statements took a lock, its rows, a
# lock_timeout of its own. Inside a tool's transaction its rows are counted: see tools_test.py.
NOT_IN_A_DO_BLOCK = {"several-tables-locked", "unbatched-update", "unbatched-delete", "lock-timeout-too-long"}
# Found only when the migration is cut off and started again: tests/trials/rerun_test.py does that with them.
CUT_OFF = {"not-rerunnable", "rerun-differs"}
EXAMPLES = [rule for rule in CATALOGUE.values() if rule.bad and rule.id not in CUT_OFF]
HARMLESS = {
    "a wider varchar": "ALTER TABLE orders ALTER COLUMN note TYPE varchar(80);",
    "varchar becomes text": "ALTER TABLE orders ALTER COLUMN note TYPE text;",
    "a wider numeric": "ALTER TABLE orders ALTER COLUMN discount TYPE numeric(12, 2);",
    "a nullable column": "ALTER TABLE orders ADD COLUMN state text;",
    "a constant default": "ALTER TABLE orders ADD COLUMN state text NOT NULL DEFAULT 'new';",
    "a default that is computed once": "ALTER TABLE orders ADD COLUMN seen timestamptz DEFAULT now();",
    "NOT NULL after a validated CHECK": "ALTER TABLE orders ADD CONSTRAINT c CHECK (note IS NOT NULL) NOT VALID;\n"
    "ALTER TABLE orders VALIDATE CONSTRAINT c;\nALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n"
    "ALTER TABLE orders DROP CONSTRAINT c;",
    "an index on a small table": "CREATE INDEX ON countries (name);",
    "NOT NULL on an empty table": "ALTER TABLE empty_things ADD COLUMN a text;\n"
    "ALTER TABLE empty_things ALTER COLUMN a SET NOT NULL;\nALTER TABLE empty_things ALTER COLUMN a SET DEFAULT '';",
    "a new table with all that belongs to it": "BEGIN;\nCREATE TABLE tags (id bigint PRIMARY KEY, name text NOT NULL,"
    " state text CHECK (state <> ''));\nCREATE INDEX ON tags (name);\nINSERT INTO tags SELECT n, n FROM"
    " generate_series(1, 5000) n;\nALTER TABLE tags ALTER COLUMN state TYPE varchar(9);\nUPDATE tags SET name = 'x';\nCOMMIT;",
    "CONCURRENTLY": "CREATE INDEX CONCURRENTLY ON orders (note);\nREINDEX INDEX CONCURRENTLY orders_placed_at;\n"
    "DROP INDEX CONCURRENTLY orders_placed_at;",
    "an index that the partitions have already": "CREATE INDEX CONCURRENTLY v ON measures_2025 (value);\n"
    "CREATE INDEX measures_value ON measures (value);",
    "a unique constraint from its index": "CREATE UNIQUE INDEX CONCURRENTLY u ON orders (id, note);\n"
    "ALTER TABLE orders ADD CONSTRAINT u UNIQUE USING INDEX u;",
    "a partition whose CHECK is there": "ALTER TABLE measures_2026 ADD CONSTRAINT c CHECK (taken_on >= '2026-01-01'"
    " AND taken_on < '2027-01-01') NOT VALID;\nALTER TABLE measures_2026 VALIDATE CONSTRAINT c;\n"
    "ALTER TABLE measures ATTACH PARTITION measures_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
    "a function made anew": "DROP FUNCTION order_count();\nCREATE FUNCTION order_count() RETURNS int LANGUAGE sql AS 'SELECT 1';",
    "a view made anew": "DROP VIEW recent_orders;\nCREATE VIEW recent_orders AS SELECT id FROM orders;",
    "a few rows": "UPDATE orders SET note = 'x' WHERE id < 100;\nDELETE FROM order_lines WHERE id < 100;",
    "a new enum value": "ALTER TYPE order_state ADD VALUE 'lost';",
}
HARMFUL = {
    "a narrower varchar": ("ALTER TABLE orders ALTER COLUMN note TYPE varchar(40);", {"table-rewrite", "breaking-type-change"}),
    "another type": ("ALTER TABLE orders ALTER COLUMN priority TYPE text;", {"table-rewrite", "breaking-type-change"}),
    "a serial column": ("ALTER TABLE orders ADD COLUMN n bigserial;", {"table-rewrite"}),
    "an identity column": ("ALTER TABLE orders ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY;", {"table-rewrite"}),
    "a stored column": ("ALTER TABLE orders ADD COLUMN n int GENERATED ALWAYS AS (1) STORED;", {"table-rewrite"}),
    "VACUUM FULL": ("VACUUM FULL orders;", {"table-rewrite"}),
    "CLUSTER": ("CLUSTER orders USING orders_pkey;", {"table-rewrite"}),
    "an inline CHECK": ("ALTER TABLE orders ADD COLUMN n int CHECK (n > 0);", {"constraint-validated-under-lock"}),
    "a CHECK": ("ALTER TABLE orders ADD CHECK (total >= 0);", {"constraint-validated-under-lock"}),
    "a foreign key": (
        "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id);", {"constraint-validated-under-lock"}
    ),
    "a unique constraint": ("ALTER TABLE orders ADD UNIQUE (id, note);", {"blocking-index-build"}),
    "an index of all partitions": ("CREATE INDEX measures_value ON measures (value);", {"blocking-index-build"}),
    "an exclusion constraint": ("ALTER TABLE orders ADD EXCLUDE (id WITH =);", {"blocking-index-build"}),
    "REINDEX": ("REINDEX TABLE orders;", {"blocking-index-build"}),
    "a partition without a CHECK": (
        "ALTER TABLE measures ATTACH PARTITION measures_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
        {"constraint-validated-under-lock"},
    ),
    "TRUNCATE": ("TRUNCATE orders;", {"data-dropped"}),
    "a table with its rows": ("DROP TABLE order_lines;", {"data-dropped"}),
    "a column with its index": ("ALTER TABLE orders DROP COLUMN customer_id CASCADE;", {"data-dropped", "cascaded-drop"}),
    "a renamed table": ("ALTER TABLE orders RENAME TO purchases;", {"breaking-rename"}),
    "a moved table": ("CREATE SCHEMA shop;\nALTER TABLE orders SET SCHEMA shop;", {"breaking-rename"}),
    "a renamed enum value": ("ALTER TYPE order_state RENAME VALUE 'sent' TO 'shipped';", {"breaking-rename"}),
    "a lost default": ("ALTER TABLE events ALTER COLUMN state DROP DEFAULT;", {"breaking-required-column"}),
}


@pytest.fixture(scope="module")
def full_shops() -> Iterator[Callable[[int], Dsn]]:
    """The shop with its rows, on a server of a version (0: the newest) that runs while the module is tested."""
    made: dict[int, Dsn] = {}
    with ExitStack() as servers:

        def make(version: int) -> Dsn:
            if version not in made:
                server = servers.enter_context(Emulator(postgres=binaries.find(version=version))).main
                made[version] = replace(server, database="shop")
                query(server, "create database shop")
                query(made[version], SHOP.read_text().replace(":rows", str(ROWS)))
            return made[version]

        yield make


@pytest.fixture
def observe(full_shops: Callable[[int], Dsn], request: pytest.FixtureRequest) -> Observe:
    """Two that share nothing: the flight recorder beside the session, and the test's own look from within it.

    On a busy machine the recorder's sampler may come late, and says so: then once more, in another copy.
    """
    see, version = request.param

    def new_shop(before: str) -> Dsn:
        full = full_shops(version)
        made = replace(full, database=f"shop_{next(NUMBERS)}")
        query(replace(full, database="postgres"), f"create database {made.database} template shop")
        if before:
            with pytest.raises(psycopg.errors.UniqueViolation):
                query(made, before)
        return made

    def look(messages: Sequence[str], before: str = "", *, old_code: bool = False) -> UnitFacts:
        if old_code:
            return with_old_code(see, new_shop(before), messages)
        facts = see(new_shop(before), messages)
        for _ in range(5):
            if facts.first.evidence is Evidence.FULL:
                break
            facts = see(new_shop(before), messages)
        return facts

    return look


NEWEST = [pytest.param((watch, 0), id="session"), pytest.param((fly, 0), id="recorder")]
EACH = [*NEWEST, *(pytest.param((fly, v), id=f"recorder, postgres {v}") for v in postgres_versions() if v)]


def found(facts: UnitFacts) -> tuple[Finding, ...]:
    return judge(Facts(RANGE, (facts,), limits=LIMITS), {})


def serious(facts: UnitFacts) -> list[Finding]:
    """What a person sees without asking for more; that the session has no lock_timeout is every example's case."""
    seen = [f for f in found(facts) if f.severity is not Severity.NOTE]
    return [finding for finding in seen if not finding.rule.startswith("lock-timeout")]


def one_by_one(sql: str) -> tuple[str, ...]:
    return tuple(part.text for part in split(sql))


def variants(rule: Rule) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The bad example in every way in which a tool may send it."""
    yield "as it stands", one_by_one(rule.bad)
    if rule.id in AS_IT_STANDS:
        return
    inner = tuple(text for text in one_by_one(rule.bad) if text not in ("BEGIN", "COMMIT"))
    yield "in a transaction", ("BEGIN", *inner, "COMMIT")
    yield "in one message", (";".join(inner),)
    if rule.id not in NOT_IN_A_DO_BLOCK:
        body = re.sub(r"\bSELECT pg_sleep", "PERFORM pg_sleep", ";\n".join(inner))
        yield "in a DO block", (f"DO $do$ BEGIN\n{body};\nEND $do$",)


VARIANTS = [
    pytest.param(rule, messages, id=f"{rule.id} {how}") for rule in EXAMPLES for how, messages in variants(rule)
]


@pytest.mark.parametrize("observe", NEWEST, indirect=True)
@pytest.mark.parametrize(("rule", "messages"), VARIANTS)
def test_the_bad_example_is_found(rule: Rule, messages: tuple[str, ...], observe: Observe) -> None:
    facts = observe(messages, BEFORE.get(rule.id, ""), old_code=rule.id in OLD_CODE)
    assert rule.id in [finding.rule for finding in found(facts)]


@pytest.mark.parametrize("observe", NEWEST, indirect=True)
@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.id)
def test_the_good_example_is_not_and_runs_through(rule: Rule, observe: Observe) -> None:
    facts = observe(one_by_one(rule.good), BEFORE.get(rule.id, ""), old_code=rule.id in OLD_CODE)
    assert refused(facts) == ""
    assert rule.id not in [finding.rule for finding in found(facts)]


@pytest.mark.parametrize("observe", EACH, indirect=True)
@pytest.mark.parametrize("sql", HARMLESS.values(), ids=HARMLESS)
def test_a_harmless_change_is_quiet(sql: str, observe: Observe) -> None:
    facts = observe(one_by_one(sql))
    assert refused(facts) == ""
    assert serious(facts) == []


@pytest.mark.parametrize("observe", NEWEST[:1], indirect=True)
@pytest.mark.parametrize("sql", HARMLESS.values(), ids=HARMLESS)
def test_a_harmless_change_lets_the_deployed_code_do_what_it_did(sql: str, observe: Observe) -> None:
    facts = observe(one_by_one(sql), old_code=True)
    assert refused(facts) == "" and facts.deployed and facts.deployed.inserts > 5
    assert not OLD_CODE & {finding.rule for finding in found(facts)}


@pytest.mark.parametrize("observe", NEWEST[:1], indirect=True)
def test_no_advice_is_one_that_postgres_refuses(observe: Observe) -> None:
    (finding,) = serious(observe(one_by_one(HARMFUL["an index of all partitions"][0])))
    assert finding.fix.startswith("CREATE INDEX CONCURRENTLY on each partition, in a migration of its own; then CREATE INDEX")


@pytest.mark.parametrize("observe", EACH, indirect=True)
@pytest.mark.parametrize(("sql", "rules"), HARMFUL.values(), ids=HARMFUL)
def test_a_harmful_change_is_found_once(sql: str, rules: set[str], observe: Observe) -> None:
    facts = observe(one_by_one(sql))
    assert refused(facts) == ""
    assert sorted(finding.rule for finding in serious(facts)) == sorted(rules)


def refused(facts: UnitFacts) -> str:
    """What Postgres said when a statement failed."""
    run = facts.first
    assert run is not None
    return f"{run.failed.error}: {run.failed.sql}" if run.failed else ""

