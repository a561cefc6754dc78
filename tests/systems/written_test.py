"""The SQL that a migration sends, as it stands in its file: which part, which line, inside a transaction or not."""

from __future__ import annotations

import pytest

from neon_hooks.plan import Migration, Unit, Written
from neon_hooks.systems import by_name
from neon_hooks.systems.base import sql_of
from neon_hooks.tree import Tree

ONE, TWO = "ALTER TABLE t ADD a int;\n", "SELECT 1;\nSELECT 2;\n"
UNITS = {
    "sqitch": {"plan": "sqitch.plan", "extension": "sql"},
    "node-pg-migrate": {"pattern": "m"},
    "flyway": {"locations": "m"},
}


def written(system: str, text: str, path: str = "m/1_x.sql", id: str = "1", **files: str) -> Written | None:
    unit = Unit(system, "", "m", ("x",), UNITS.get(system, {}))
    tree = Tree.of({path: text, **{name.replace("__", "/").replace("_dot_", "."): t for name, t in files.items()}})
    return sql_of(by_name(system), unit, tree, Migration(id, path, tree.oids[path]))


@pytest.mark.parametrize(
    ("system", "text", "transaction"),
    [
        ("prisma", ONE, False),  # one simple query with one statement is no transaction block
        ("prisma", TWO, True),
        ("golang-migrate", ONE, False),
        ("golang-migrate", TWO, True),
        ("sqlx", ONE, True),
        ("sqlx", "-- no-transaction\n" + ONE, False),
        ("sqlx", "-- no-transaction\n" + TWO, True),
        ("diesel", ONE, True),
        ("drizzle", ONE, True),
        ("supabase", ONE, True),
        ("supabase", "CREATE INDEX CONCURRENTLY i ON t (a);", False),
        ("flyway", ONE, True),
        ("flyway", "CREATE INDEX CONCURRENTLY i ON t (a);", False),
        ("flyway", "SELECT '${x}';", True),
        ("atlas", ONE, True),
        ("atlas", "-- atlas:txmode none\n\n" + ONE, False),
        ("yoyo", ONE, True),
        ("yoyo", "-- transactional: false\n" + ONE, False),
        ("sqitch", "BEGIN;\n" + ONE + "COMMIT;", False),
        ("sql", ONE, False),
        ("custom", ONE, False),
        ("liquibase", ONE, True),  # not formatted: one change set
    ],
)
def test_the_whole_file_in_a_transaction_or_not(system: str, text: str, transaction: bool) -> None:
    id = "m/1_x.sql::raw::includeAll" if system == "liquibase" else "1"
    assert written(system, text, id=id) == Written("m/1_x.sql", text, 0, transaction)


def test_a_conf_file_of_flyways_is_read() -> None:
    found = written("flyway", ONE, "m/V1__x.sql", m__V1__x_dot_sql_dot_conf="") or Written("", "")
    assert found.transaction
    unit = Unit("flyway", "", "m", ("x",), UNITS["flyway"])
    tree = Tree.of({"m/V1__x.sql": ONE, "m/V1__x.sql.conf": "executeInTransaction=false\n"})
    alone = sql_of(by_name("flyway"), unit, tree, Migration("1", "m/V1__x.sql", "1"))
    assert alone and not alone.transaction


@pytest.mark.parametrize(
    ("system", "text", "first_line", "transaction"),
    [
        ("dbmate", "-- migrate:up\nSELECT 1;\n-- migrate:down\nDROP TABLE t;\n", 2, True),
        ("dbmate", "-- migrate:up transaction:false\nSELECT 1;\n-- migrate:down\nDROP TABLE t;\n", 2, False),
        ("goose", "-- x\n-- +goose Up\nSELECT 1;\n-- +goose Down\nDROP TABLE t;\n", 3, True),
        ("goose", "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n-- +goose Down\nDROP TABLE t;\n", 3, False),
        ("goose", "-- +goose ENVSUB ON\n-- +goose Up\nSELECT 1;\n-- +goose Down\nDROP TABLE t;\n", 3, True),
        ("node-pg-migrate", "-- Up Migration\nSELECT 1;\n-- Down Migration\nDROP TABLE t;\n", 2, True),
    ],
)
def test_only_the_part_that_goes_up(system: str, text: str, first_line: int, transaction: bool) -> None:
    found = written(system, text)
    assert found and found.transaction == transaction
    assert "DROP" not in found.sql and found.sql.count("SELECT 1;") == 1
    before = found.sql.partition("SELECT 1;")[0]
    assert found.offset + before.count("\n") + 1 == first_line


def test_a_change_set_of_formatted_sql_is_linted_alone() -> None:
    text = (
        "-- liquibase formatted sql\n-- changeset ada:1\nSELECT 1;\n-- rollback SELECT 9;\n"
        '-- changeset "ada b":2 runInTransaction:false\nSELECT 2;\n'
    )
    one = written("liquibase", text, id="m/1_x.sql::1::ada")
    two = written("liquibase", text, id="m/1_x.sql::2::ada b")
    assert one and two
    assert (one.sql.split()[:2], one.offset, one.transaction) == (["SELECT", "1;"], 1, True)
    assert (two.sql.split(), two.offset, two.transaction) == (["SELECT", "2;"], 4, False)
    assert written("liquibase", text, id="m/1_x.sql::3::eve") is None


@pytest.mark.parametrize(("system", "path"), [("alembic", "m/1.py"), ("yoyo", "m/1.py"), ("knex", "m/1.js"), ("goose", "m/1_x.go"), ("liquibase", "m/1.xml")])
def test_of_code_nothing_is_known(system: str, path: str) -> None:
    assert written(system, "x", path, id="m/1.xml::1::ada") is None
