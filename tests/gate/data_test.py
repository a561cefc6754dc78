"""What the test Neon database branch is a copy of: everything, the schema, or masked rows."""

from __future__ import annotations

from tests.fix_gate import Team
from tests.gate.sql_test import shop
from tests.gate.stories import ALEMBIC

UNIQUE = {"migrations/0002.sql": "ALTER TABLE customers ADD UNIQUE (email);"}
READS = {"migrations/0002.sql": "DO $$ BEGIN IF EXISTS (SELECT FROM customers WHERE email <> 'masked') THEN RAISE 'seen'; END IF; END $$;"}
MASKING = 'data = "anonymized"\n[[masking]]\ntable = "customers"\ncolumn = "email"\nvalue = "masked"\n'


def test_a_schema_without_rows_proves_nothing_and_says_so(team: Team) -> None:
    pushed = shop(team).push({**UNIQUE, ".neon-hooks.toml": 'data = "schema-only"\n'})
    assert pushed.passed, pushed.said
    assert "tried-without-rows" in pushed.rules
    assert "the migrations met no rows" in pushed.said


def test_a_bookkeeping_that_is_left_out_is_refused_before_anything_is_made(team: Team) -> None:
    ALEMBIC.start(team)
    pushed = team.push({**dict([ALEMBIC.good]), ".neon-hooks.toml": 'data = "schema-only"\n'})
    assert not pushed.passed and '"schema-only"' in pushed.said and "alembic" in pushed.said
    assert not [request for request in team.emulator.requests if request.method == "POST"]


def test_masked_columns_are_masked_before_the_migration_sees_them(team: Team) -> None:
    assert shop(team).push(READS).exit_code == 1
    pushed = team.push({".neon-hooks.toml": MASKING})
    assert pushed.passed, pushed.said
    assert team.query("select count(*) from customers where email = 'masked'") == [(0,)]
    team.assert_main_is_untouched()


def test_anonymized_without_any_rule_is_refused(team: Team) -> None:
    pushed = shop(team).push({**UNIQUE, ".neon-hooks.toml": 'data = "anonymized"\n'})
    assert not pushed.passed and "[[masking]]" in pushed.said
