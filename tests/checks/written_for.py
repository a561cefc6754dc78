"""The examples of the catalogue as migrations of Alembic, Django and Knex, the way people write them there.

Pure text: files of a project, and the file of one migration. ``OPERATIONS`` are those examples again for which
a tool has a word of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent

from neon_hooks.findings import Rule
from neon_hooks.sqlscript import split

# What Postgres allows no transaction, so that a person has to tell the tool.
ALONE = {"invalid-index", "lock-timeout-with-concurrently"}


@dataclass(frozen=True)
class Tool:
    """``project`` is one of tests/projects without its migrations, ``base`` what has been deployed already (file
    -> text), ``path`` the pushed migration. ``statement`` writes SQL down, ``migration`` puts such lines into a
    file (``alone``: outside of a transaction).
    """

    name: str
    project: str
    base: Mapping[str, str]
    path: str
    statement: Callable[[str], str]
    migration: Callable[[str, bool], str]


@dataclass(frozen=True)
class Written:
    """One migration. ``lines``: where its statements stand; one that the tool writes has none of its own."""

    text: str
    lines: frozenset[int] = frozenset()


def written(rule: Rule, tool: Tool) -> Written:
    """The bad example, statement by statement."""
    return _located([tool.statement(sql) for sql in _inner(rule)], tool, alone=rule.id in ALONE)


def written_in_one(rule: Rule, tool: Tool) -> Written:
    """The bad example as one text of several lines."""
    return _located([tool.statement(";\n".join(_inner(rule)))], tool, alone=rule.id in ALONE)


def in_a_do_block(rule: Rule, tool: Tool) -> Written:
    body = ";\n".join(_inner(rule))
    return _located([tool.statement(f"DO $do$ BEGIN\n{body};\nEND $do$")], tool, alone=False)


def operation(code: str, tool: Tool) -> Written:
    made = _located([code], tool, alone=False)
    # A function's own lines say more than where it is named.
    called = [n for n, line in enumerate(made.text.splitlines(), 1) if ".objects." in line and "RunPython" in code]
    return Written(made.text, made.lines | set(called))


def at_step(tool: Tool, number: int, code: str, *, alone: bool) -> tuple[str, str]:
    """Path and text of a migration with ``code``, the one of ``number`` after what is deployed."""
    text = tool.migration(code, alone)
    if tool is ALEMBIC:
        before = f"b{number + 1}" if number else "a1"
        text = text.replace('"b2", "a1"', f'"b{number + 2}", "{before}"')
    elif tool is DJANGO and number:
        text = text.replace("0001_initial", f"000{number + 1}_example")
    return tool.path.replace("2_example", f"{number + 2}_example"), text


def _inner(rule: Rule) -> Sequence[str]:
    """Without the BEGIN and COMMIT around it, which are the tool's own affair."""
    texts = [part.text for part in split(rule.bad)]
    return texts[1:-1] if texts[0] == "BEGIN" else texts


def _located(pieces: Sequence[str], tool: Tool, *, alone: bool) -> Written:
    text = tool.migration("\n".join(pieces), alone)
    starts = [text.count("\n", 0, text.index(piece.splitlines()[0])) + 1 for piece in pieces]
    lines = {
        number
        for start, piece in zip(starts, pieces, strict=True)
        for number in range(start, start + len(piece.splitlines()))
    }
    return Written(text, frozenset(lines))


def _python(sql: str) -> str:
    return f'"""{sql}"""' if "\n" in sql else json.dumps(sql)


def _javascript(sql: str) -> str:
    return f"`{sql}`" if "\n" in sql else json.dumps(sql)


def _alembic(body: str, alone: bool) -> str:
    if alone:
        body = "with op.get_context().autocommit_block():\n" + indent(body, "    ")
    head = 'import sqlalchemy as sa\nfrom alembic import op\n\nrevision, down_revision = "b2", "a1"\n'
    return f"{head}\n\ndef upgrade():\n{indent(body, '    ')}\n"


def _django(body: str, alone: bool) -> str:
    return f"""\
from django.contrib.postgres import operations as postgres
from django.db import migrations, models


def update(apps, schema_editor):
    apps.get_model("shop", "Order").objects.update(note="old")


def in_slices(apps, schema_editor):
    for first in range(0, 20_001, 500):
        apps.get_model("shop", "Order").objects.filter(id__range=(first, first + 499)).update(note="x")


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
{"    atomic = False" if alone else ""}
    operations = [
{indent(body, "        ")}
    ]
"""


def _knex(body: str, alone: bool) -> str:
    config = "\nexports.config = { transaction: false };" if alone else ""
    return f"exports.up = async (knex) => {{\n{indent(body, '  ')}\n}};\nexports.down = () => {{}};{config}\n"


DJANGO_BASE = """\
from django.db import migrations, models


def model(name, table, **fields):
    key = [] if any(f.primary_key for f in fields.values()) else [("id", models.BigAutoField(primary_key=True))]
    options = {"db_table": table}
    return migrations.CreateModel(name=name, fields=[*key, *fields.items()], options=options)


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[
            model("Customer", "customers", email=models.TextField(null=True)),
            model("Country", "countries", code=models.CharField(max_length=3, primary_key=True)),
            model("Order", "orders", total=models.DecimalField(max_digits=10, decimal_places=2),
                  placed_at=models.DateTimeField(null=True), note=models.CharField(max_length=50, null=True)),
            model("OrderLine", "order_lines", order_id=models.BigIntegerField()),
            model("EmptyThing", "empty_things"),
            migrations.AddIndex("order", models.Index(fields=["placed_at"], name="orders_placed_at")),
        ]),
    ]
"""
ALEMBIC = Tool(
    "alembic",
    "alembic",
    {"migrations/versions/a1_base.py": 'revision, down_revision = "a1", None\n\n\ndef upgrade():\n    pass\n'},
    "migrations/versions/b2_example.py",
    lambda sql: f"op.execute({_python(sql)})",
    _alembic,
)
DJANGO = Tool(
    "django",
    "django",
    {"shop/migrations/__init__.py": "", "shop/migrations/0001_initial.py": DJANGO_BASE, "shop/models.py": ""},
    "shop/migrations/0002_example.py",
    lambda sql: f"migrations.RunSQL({_python(sql)}),",
    _django,
)
KNEX = Tool(
    "knex",
    "knex",
    {"migrations/1_base.js": "exports.up = async () => {};\nexports.down = () => {};\n"},
    "migrations/2_example.js",
    lambda sql: f"await knex.raw({_javascript(sql)});",
    _knex,
)
TOOLS = (ALEMBIC, DJANGO, KNEX)

OPERATIONS: Iterable[tuple[str, Tool, str]] = (
    ("blocking-index-build", ALEMBIC, 'op.create_index("orders_note", "orders", ["note"])'),
    ("blocking-index-drop", ALEMBIC, 'op.drop_index("orders_placed_at", "orders")'),
    ("constraint-validated-under-lock", ALEMBIC, 'op.alter_column("orders", "placed_at", nullable=False)'),
    ("data-dropped", ALEMBIC, 'op.drop_column("customers", "email")'),
    ("breaking-rename", ALEMBIC, 'op.alter_column("customers", "email", new_column_name="mail")'),
    ("breaking-type-change", ALEMBIC, 'op.alter_column("countries", "code", type_=sa.String(2))'),
    ("breaking-required-column", ALEMBIC,
     'op.add_column("empty_things", sa.Column("name", sa.Text, nullable=False))'),
    ("migration-fails", ALEMBIC, 'op.add_column("customers", sa.Column("country", sa.Text, nullable=False))'),
    ("table-rewrite", ALEMBIC,
     'op.add_column("orders", sa.Column("token", sa.Uuid, server_default=sa.text("gen_random_uuid()")))'),
    ("constraint-validated-under-lock", ALEMBIC,
     'op.create_foreign_key("line_order", "order_lines", "orders", ["order_id"], ["id"])'),
    ("foreign-key-without-index", ALEMBIC,
     'op.create_foreign_key("line_order", "order_lines", "orders", ["order_id"], ["id"])'),
    ("unvalidated-constraint", ALEMBIC,
     'op.create_check_constraint("total_sign", "orders", "total >= 0", postgresql_not_valid=True)'),
    ("unbatched-update", ALEMBIC,
     'op.execute(sa.table("orders", sa.column("note")).update().values(note="old"))'),
    ("json-column", ALEMBIC, 'op.add_column("orders", sa.Column("extra", sa.JSON))'),
    ("short-integer-key", ALEMBIC, 'op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True))'),

    ("blocking-index-build", DJANGO,
     'migrations.AddIndex("order", models.Index(fields=["note"], name="orders_note")),'),
    ("blocking-index-drop", DJANGO, 'migrations.RemoveIndex("order", "orders_placed_at"),'),
    ("constraint-validated-under-lock", DJANGO,
     'migrations.AlterField("order", "placed_at", models.DateTimeField()),'),
    ("data-dropped", DJANGO, 'migrations.RemoveField("customer", "email"),'),
    ("breaking-rename", DJANGO, 'migrations.RenameField("customer", "email", "mail"),'),
    ("breaking-type-change", DJANGO,
     'migrations.AlterField("country", "code", models.CharField(max_length=2, primary_key=True)),'),
    ("breaking-required-column", DJANGO,
     'migrations.AddField("emptything", "name", models.CharField(max_length=9, default="")),'),
    ("migration-fails", DJANGO, 'migrations.AddField("customer", "country", models.BigIntegerField()),'),
    ("table-rewrite", DJANGO,
     'migrations.AddField("order", "token", models.UUIDField(db_default=models.Func(function="gen_random_uuid"))),'),
    ("constraint-validated-under-lock", DJANGO,
     'migrations.AddConstraint("order", models.CheckConstraint(condition=models.Q(total__gte=0), name="c")),'),
    ("not-valid-and-validate-in-one-transaction", DJANGO,
     'postgres.AddConstraintNotValid("order", models.CheckConstraint(condition=models.Q(total__gte=0), name="c")),'
     ' postgres.ValidateConstraint("order", "c"),'),
    ("foreign-key-without-index", DJANGO,
     'migrations.AddField("orderline", "o", models.ForeignKey("shop.Order", models.CASCADE, null=True, db_index=False)),'),
    ("concurrently-in-transaction", DJANGO, 'migrations.RunSQL("CREATE INDEX CONCURRENTLY i ON orders (note)"),'),
    ("unbatched-update", DJANGO, "migrations.RunPython(update),"),
    ("short-integer-key", DJANGO,
     'migrations.CreateModel("Note", [("id", models.AutoField(primary_key=True))]),'),

    ("blocking-index-build", KNEX,
     'await knex.schema.alterTable("orders", (table) => table.index(["note"], "orders_note"));'),
    ("blocking-index-drop", KNEX,
     'await knex.schema.alterTable("orders", (table) => table.dropIndex([], "orders_placed_at"));'),
    ("constraint-validated-under-lock", KNEX,
     'await knex.schema.alterTable("orders", (table) => table.dropNullable("placed_at"));'),
    ("data-dropped", KNEX, 'await knex.schema.alterTable("customers", (table) => table.dropColumn("email"));'),
    ("breaking-rename", KNEX,
     'await knex.schema.alterTable("customers", (table) => table.renameColumn("email", "mail"));'),
    ("breaking-type-change", KNEX,
     'await knex.schema.alterTable("countries", (table) => table.string("code", 2).alter({ alterNullable: false }));'),
    ("breaking-required-column", KNEX,
     'await knex.schema.alterTable("empty_things", (table) => table.text("name").notNullable());'),
    ("migration-fails", KNEX,
     'await knex.schema.alterTable("customers", (table) => table.text("country").notNullable());'),
    ("table-rewrite", KNEX,
     'await knex.schema.alterTable("orders", (t) => t.uuid("token").defaultTo(knex.raw("gen_random_uuid()")));'),
    ("foreign-key-without-index", KNEX,
     'await knex.schema.alterTable("order_lines", (t) => t.foreign("order_id").references("orders.id"));'),
    ("unbatched-update", KNEX, 'await knex("orders").update({ note: "old" });'),
    ("unbatched-delete", KNEX, 'await knex("order_lines").del();'),
    ("json-column", KNEX, 'await knex.schema.alterTable("orders", (table) => table.json("extra"));'),
    ("short-integer-key", KNEX, 'await knex.schema.createTable("notes", (table) => table.increments("id"));'),
)  # fmt: skip
