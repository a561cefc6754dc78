"""What the findings advise for Alembic, Django and Knex (checks/idioms.py), typed in: it runs, and is not held up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from neon_hooks.checks.idioms import Form, advice
from tests.checks.tools_test import Team, found
from tests.checks.tools_test import server as server
from tests.checks.tools_test import teams as teams
from tests.checks.written_for import ALEMBIC, DJANGO, KNEX, Tool, at_step

LOOP = """\
with op.get_context().autocommit_block():
    for first in range(0, 20_001, 500):
        op.execute(f"UPDATE orders SET note = 'x' WHERE id BETWEEN {first} AND {first + 499}")"""
CHECK = 'models.CheckConstraint(condition=models.Q(placed_at__isnull=False), name="c")'
PLACED = "models.DateTimeField()"
USING = "ALTER TABLE orders ADD CONSTRAINT u UNIQUE USING INDEX u"
CONCURRENTLY = "CREATE UNIQUE INDEX CONCURRENTLY u ON orders (id)"
IN_STATE = 'migrations.AddConstraint("order", models.UniqueConstraint(fields=["id"], name="u"))'
# The advice, and what a person makes of it: one migration after the other. "alone": told to open no transaction.
Steps = Sequence[tuple[str, str]]
FIXES: Sequence[tuple[Form, Tool, Steps]] = (
    (Form.CREATE_INDEX, ALEMBIC, [(
        'with op.get_context().autocommit_block(): op.create_index("i", "orders", ["note"], postgresql_concurrently=True)', "")]),
    (Form.DROP_INDEX, ALEMBIC, [(
        'with op.get_context().autocommit_block(): op.drop_index("orders_placed_at", postgresql_concurrently=True)', "")]),
    (Form.UNIQUE, ALEMBIC, [(
        "with op.get_context().autocommit_block():\n    op.create_index("
        f'"u", "orders", ["id"], unique=True, postgresql_concurrently=True)\nop.execute("{USING}")', "")]),
    (Form.CONSTRAINT, ALEMBIC, [
        ('op.create_foreign_key("f", "order_lines", "orders", ["order_id"], ["id"], postgresql_not_valid=True)', ""),
        ('op.execute("ALTER TABLE order_lines VALIDATE CONSTRAINT f")', "")]),
    (Form.NOT_NULL, ALEMBIC, [
        ('op.create_check_constraint("c", "orders", "placed_at IS NOT NULL", postgresql_not_valid=True)', ""),
        ('op.execute("ALTER TABLE orders VALIDATE CONSTRAINT c")\nop.alter_column("orders", "placed_at", nullable=False)', "")]),
    (Form.BATCHES, ALEMBIC, [(LOOP, "")]),
    (Form.LOCK_TIMEOUT, ALEMBIC, [(
        "op.execute(\"SET lock_timeout = '5s'\")\nop.add_column('orders', sa.Column('a', sa.Integer))", "")]),
    (Form.CREATE_INDEX, DJANGO, [(
        'postgres.AddIndexConcurrently("order", models.Index(fields=["note"], name="i")),', "alone")]),
    (Form.DROP_INDEX, DJANGO, [('postgres.RemoveIndexConcurrently("order", "orders_placed_at"),', "alone")]),
    (Form.UNIQUE, DJANGO, [(
        f'migrations.SeparateDatabaseAndState([migrations.RunSQL("{CONCURRENTLY}"), migrations.RunSQL("{USING}")],'
        f" [{IN_STATE}]),", "alone")]),
    (Form.CONSTRAINT, DJANGO, [
        (f'postgres.AddConstraintNotValid("order", {CHECK}),', ""), ('postgres.ValidateConstraint("order", "c"),', "")]),
    (Form.NOT_NULL, DJANGO, [
        (f'postgres.AddConstraintNotValid("order", {CHECK}),', ""), ('postgres.ValidateConstraint("order", "c"),', ""),
        (f'migrations.AlterField("order", "placed_at", {PLACED}),', "")]),
    (Form.BATCHES, DJANGO, [("migrations.RunPython(in_slices, migrations.RunPython.noop),", "alone")]),
    (Form.LOCK_TIMEOUT, DJANGO, [(
        "migrations.RunSQL(\"SET LOCAL lock_timeout = '5s'\", migrations.RunSQL.noop),\n"
        'migrations.AddField("order", "a", models.IntegerField(null=True)),', "")]),
    (Form.LOCK_TIMEOUT, DJANGO, [(
        "migrations.RunSQL(\"SET lock_timeout = '5s'\", migrations.RunSQL.noop),\n"
        'migrations.AddField("order", "a", models.IntegerField(null=True)),', "alone")]),
    (Form.CREATE_INDEX, KNEX, [("await knex.raw('CREATE INDEX CONCURRENTLY i ON orders (note)');", "alone")]),
    (Form.DROP_INDEX, KNEX, [("await knex.raw('DROP INDEX CONCURRENTLY orders_placed_at');", "alone")]),
    (Form.UNIQUE, KNEX, [(f"await knex.raw('{CONCURRENTLY}');\nawait knex.raw('{USING}');", "alone")]),
    (Form.CONSTRAINT, KNEX, [
        ("await knex.raw('ALTER TABLE orders ADD CONSTRAINT c CHECK (total >= 0) NOT VALID');", ""),
        ("await knex.raw('ALTER TABLE orders VALIDATE CONSTRAINT c');", "alone")]),
    (Form.NOT_NULL, KNEX, [
        ("await knex.raw('ALTER TABLE orders ADD CONSTRAINT c CHECK (placed_at IS NOT NULL) NOT VALID');", ""),
        ("await knex.raw('ALTER TABLE orders VALIDATE CONSTRAINT c');", "alone"),
        ('await knex.schema.alterTable("orders", (table) => table.dropNullable("placed_at"));', "")]),
    (Form.BATCHES, KNEX, [(
        "for (let n = 0; n <= 20000; n += 500) {\n"
        '  await knex("orders").whereBetween("id", [n, n + 499]).update({ note: "x" });\n}', "alone")]),
    (Form.LOCK_TIMEOUT, KNEX, [(
        "await knex.raw(\"SET lock_timeout = '5s'\");\n"
        'await knex.schema.alterTable("orders", (table) => table.integer("a"));', "")]),
)  # fmt: skip
# Rules about what a person has to do beside it: these migrations have no way back, some set no lock_timeout.
BESIDE = {"missing-down", "lock-timeout-missing", "foreign-key-without-index"}


@pytest.mark.parametrize(
    ("form", "tool", "steps"), FIXES, ids=[f"{form.name} {tool.name} {n}" for n, (form, tool, _) in enumerate(FIXES)]
)
def test_the_advice_runs_and_is_not_held_up(
    form: Form, tool: Tool, steps: Steps, teams: Callable[[Tool], Team]
) -> None:
    files = dict(at_step(tool, number, code, alone=bool(alone)) for number, (code, alone) in enumerate(steps))
    if tool is ALEMBIC and len(steps) > 1:
        path = "migrations/env.py"
        env = (teams(tool).project.path / path).read_text()
        files[path] = env.replace("connection=connection", "connection=connection, transaction_per_migration=True")
    facts = teams(tool).push(files)
    assert facts.first and facts.first.exit_code == 0, facts.first
    held_up = {finding.rule for finding in found(facts)} - BESIDE
    assert not held_up, [finding for finding in found(facts) if finding.rule in held_up]
    if form is Form.LOCK_TIMEOUT:
        assert "lock-timeout-missing" not in [finding.rule for finding in found(facts)]


def test_a_table_of_another_schema_is_named_as_alembic_wants_it() -> None:
    said = advice(Form.CREATE_INDEX, "alembic", table="audit.log", index="i", columns=("at",))
    assert 'op.create_index("i", "log", ["at"], schema="audit", postgresql_concurrently=True)' in said
