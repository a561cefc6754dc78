"""What the tools print when models and migrations differ, read. Their words as they came from real runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from neon_hooks.changes import Range
from neon_hooks.checks import judge
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import DeadlineExceeded
from neon_hooks.facts import Agreement, Drift, Facts, ToolRun, UnitFacts
from neon_hooks.plan import Command, Comparison, Unit, Work
from neon_hooks.run import resolve
from neon_hooks.systems import by_name
from neon_hooks.trials.drift import Comparing, read
from neon_hooks.trials.place import Place
from tests.fix_systems import tree

OPTIONS = {"liquibase.referenceurl": "offline:postgresql", "ini": "alembic.ini", "config": "drizzle.config.ts", "models": "schema.prisma", "source": "data-source.ts"}
ALEMBIC = (
    "FAILED: New upgrade operations detected: [('add_column', None, 'a', Column('x', Text(), table=<a>)), [('modify_nullable',"
    " None, 'a', 'b', {'existing_server_default': <object object at 0x7f16be4db010>}, True, False)], ('remove_index',"
    " Index('i', Column('b', Text(), table=<a>)))]\n"
)
DJANGO = (
    "Migrations for 'shop':\n  shop/migrations/0003_x.py\n    + Add field a to customer\n    ~ Alter field b on customer\n"
    "Migrations for 'blog':\n  blog/migrations/0002_x.py\n    + Add field a to customer\n"
)
DJANGO_ASKS = (
    "Field 'c' on model 'customer' not migrated: it is impossible to add a non-nullable field without specifying a default.\n"
)
PRISMA = "\n[+] Added tables\n[*] Changed the `a` table\n  [+] Added column `x`\n[*] Changed the `b` table\n  [+] Added column `x`\n"
LIQUIBASE_DIFF = (
    "Product Name:\n     Reference:   'Offline postgresql'\n     Target: 'PostgreSQL'\nMissing Column(s): \n"
    "     public.customers.nickname\nUnexpected Column(s): NONE\nChanged Column(s): NONE\nUnexpected Table(s): \n     zzz\n"
)
CASES = [
    ("alembic", ALEMBIC, 3),
    ("alembic", "FAILED: Target database is not up to date.\n", -1),
    ("alembic", "FAILED: Can't proceed with --autogenerate option; environment script does not provide a MetaData object\n", None),
    ("alembic", "No new upgrade operations detected.\n", 0),
    ("django", DJANGO, 3),
    ("django", DJANGO_ASKS, 1),
    ("django", "Traceback (most recent call last):\nImportError: no\n", -1),
    ("django", "No changes detected\n", 0),
    ("prisma", PRISMA, 3),
    ("prisma", "No difference detected.\n", 0),
    ("drizzle", "No schema changes, nothing to migrate\n", 0),
    ("drizzle", "[ok]\nneon-hooks: differs: ALTER TABLE a;\nneon-hooks: differs: DROP TABLE b;\n", 2),
    ("drizzle", "Error: Interactive prompts require a TTY terminal\n", 1),
    ("drizzle", "neon-hooks: no snapshots\n", None),
    ("activerecord", 'neon-hooks: - create_table "a": t.text "b"\nneon-hooks: + create_table "c"\n', 2),
    ("activerecord", "D, DEBUG -- : SELECT 1\n", 0),
    ("activerecord", "rake aborted!\n", -1),
    ("activerecord", "neon-hooks: no schema is dumped here\n", None),
    ("diesel", "neon-hooks: + customers (id): country -> Nullable<Text>\n", 1),
    ("diesel", "neon_hooks_diesel.sh: 3: diesel: not found\n", -1),
    ("flyway", "neon-hooks: alter table if exists customers add column country text\n", 1),
    ("flyway", "[ERROR] COMPILATION ERROR : \n", -1),
    ("liquibase", LIQUIBASE_DIFF, 2),
    ("liquibase", LIQUIBASE_DIFF.replace("(s): \n", "(s): NONE\n"), 0),
]
FILES = {
    "db/schema.rb": "", "diesel.toml": "[print_schema]\nfile = 'schema.rs'\n", "schema.rs": "",
    "pom.xml": "hibernate-core", "src/main/java/A.java": "@Entity\nclass A {}\n",
}  # fmt: skip


def comparison(system: str) -> Comparison:
    compare = by_name(system).compare
    assert compare
    found = compare(Unit(system, "", "migrations", (), OPTIONS), tree(FILES))
    assert found
    return found


@pytest.mark.parametrize(("system", "output", "differences"), CASES)
def test_what_a_tool_says(system: str, output: str, differences: int | None) -> None:
    """-1: it failed; None: there is nothing to compare."""
    code = 0 if differences == 0 or system == "drizzle" else 1
    found = read(comparison(system), ToolRun((system,), code, 1.0, output))
    expected = {-1: Agreement.UNKNOWN, None: Agreement.NOTHING, 0: Agreement.SAME}.get(differences, Agreement.DIFFERENT)
    assert found.agreement is expected
    assert len(found.differences) == max(differences or 0, 0), found.differences


def test_what_differs_is_the_same_text_in_each_process_and_says_where() -> None:
    first, second = (read(comparison("alembic"), ToolRun(("x",), 1, 1.0, text)) for text in (ALEMBIC, ALEMBIC.replace("7f16", "1234")))
    assert first.differences == second.differences
    django = read(comparison("django"), ToolRun(("x",), 1, 1.0, DJANGO))
    assert django.differences[0] == "Migrations for 'shop': + Add field a to customer"
    assert django.differences[2] == "Migrations for 'blog': + Add field a to customer"


def test_a_comparison_that_takes_long_is_stopped_and_costs_no_verdict(tmp_path: Path) -> None:
    how = Comparison(Command(("sh", "-c", "sleep 60"), "native"), differs="x", difference="x")
    tool = resolve(how.command, checkout=tmp_path, top=tmp_path, root="", environ={"PATH": "/usr/bin:/bin"})
    place = Place(tmp_path, Dsn("127.0.0.1", "none"), Deadline.after(2.5))
    compared = Comparing(how, tool, lambda: None).now(place)
    assert compared.agreement is Agreement.UNKNOWN and 0.9 < compared.slow_ms / 1000 <= 1.0
    assert place.deadline.remaining() > 0.5
    unit = UnitFacts(Work(Unit("flyway", "", "sql", ()), (), (), models=("A.java",)), drift=Drift(compared))
    (finding,) = judge(Facts(Range("a", "b", "test"), (unit,)), {})
    assert finding.rule == "models-not-compared"
    assert finding.message.endswith(": it was stopped after 1 s, so that there is time for the rest")
    with pytest.raises(DeadlineExceeded, match="the comparison of models and migrations"):
        Comparing(how, tool, lambda: None).now(Place(tmp_path, place.dsn, Deadline.after(0)))
