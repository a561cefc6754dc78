"""SQL literals in Python migrations: those that certainly run, on their lines."""

from __future__ import annotations

import pytest

from neon_hooks.plan import Migration, Written
from neon_hooks.systems.pysql import of_alembic, of_django
from neon_hooks.tree import Tree

ALEMBIC = """\
import sqlalchemy as sa
from alembic import op
revision = "a"

def upgrade():
    op.create_table("Notes", sa.Column("id", sa.Integer), schema="app")
    op.execute("CREATE INDEX i ON t (a)")
    op.execute(sa.text(\"\"\"
        DROP INDEX
          j; -- gone
    \"\"\"))
    op.execute(f"DROP TABLE {name}")
    if maybe:
        op.execute("DROP TABLE never")
    for each in names:
        op.execute("DROP TABLE never")

def downgrade():
    op.execute("DROP TABLE never")
"""
DJANGO = """\
from django.db import migrations, models

class Migration(migrations.Migration):
    atomic = False
    operations = [
        migrations.CreateModel("Order", fields=[]),
        migrations.CreateModel(name="Item", fields=[], options={"db_table": "things"}),
        migrations.RunSQL(
            "CREATE INDEX i ON t (a)",
            reverse_sql="DROP INDEX i",
        ),
        migrations.RunSQL(sql=["SELECT 1", ("SELECT %s", [2])]),
        migrations.RunSQL(SOMETHING),
        migrations.RunPython(code),
    ]
"""


def alembic(text: str) -> Written | None:
    tree = Tree.of({"m/a.py": text})
    return of_alembic(tree, Migration("a", "m/a.py", "x"))


def lines(written: Written | None) -> dict[int, str]:
    assert written
    return {number: line.strip() for number, line in enumerate(written.sql.split("\n"), 1) if line.strip()}


def test_what_alembics_upgrade_executes_stands_where_it_stood() -> None:
    assert lines(alembic(ALEMBIC)) == {
        6: 'CREATE TABLE "app"."Notes" ();', 7: "CREATE INDEX i ON t (a);", 9: "DROP INDEX", 10: "j; -- gone", 11: ";",
    }  # fmt: skip


def test_an_autocommit_block_has_no_transaction() -> None:
    block = "def upgrade():\n    with op.get_context().autocommit_block():\n        op.execute('CREATE INDEX CONCURRENTLY i ON t (a)')\n"
    found = alembic(block)
    assert lines(found) == {3: "CREATE INDEX CONCURRENTLY i ON t (a);"} and found and not found.transaction
    plain = alembic("def upgrade():\n    op.execute('SELECT 1')\n")
    assert plain and plain.transaction


@pytest.mark.parametrize("text", ["", "def upgrade(:", "def upgrade(): pass", "def upgrade():\n    op.add_column('t')", "x = 1"])
def test_without_literals_there_is_nothing(text: str) -> None:
    assert alembic(text) is None


def test_djangos_run_sql() -> None:
    tree = Tree.of({"shop/migrations/0002.py": DJANGO})
    found = of_django(tree, Migration("x", "shop/migrations/0002.py", "x"))
    assert found and not found.transaction
    assert lines(found) == {
        6: 'CREATE TABLE "shop_order" ();', 7: 'CREATE TABLE "things" ();', 9: "CREATE INDEX i ON t (a);", 12: "SELECT 1;",
    }  # fmt: skip
