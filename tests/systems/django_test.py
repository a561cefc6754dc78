"""Real Django on a real Postgres."""

from __future__ import annotations

from pathlib import Path

import pytest

from neon_hooks.run import attribute
from neon_hooks.systems import by_name
from tests.fix_systems import Copy, Postgres, Project, query, tables, tree_of

HEAD = "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
REQUIRED = (
    HEAD
    + """\
    dependencies = [("shop", "0002_customer_nickname")]
    operations = [migrations.AlterField("customer", "nickname", models.TextField())]
"""
)
CUSTOMER = "INSERT INTO shop_customer (email) VALUES ('someone@example.com')"
OURS = frozenset({"shop.0001_initial", "shop.0002_customer_nickname"})


@pytest.fixture
def shop(project: Copy, django_python: Path) -> Project:
    found = project("django", django_python)
    found.environ["SECRET_KEY"] = "canary-of-production"
    return found


def test_migrations_run_on_the_test_database_and_are_recorded(shop: Project, postgres: Postgres) -> None:
    database = postgres.database()
    run = shop.run(database)
    assert run.exit_code == 0, run.output
    assert run.redirected and run.connections
    assert OURS <= shop.rows(database)
    assert "canary" not in repr(run)
    assert "SECRET_KEY" in run.replaced


def test_the_proof_ignores_the_rows_of_packages(shop: Project, postgres: Postgres) -> None:
    database = postgres.database()
    shop.run(database)
    work, rows = shop.work(), shop.rows(database)
    assert "auth.0001_initial" in rows
    proof = by_name("django").prove(frozenset(), rows, work.history, work.pushed)
    assert not proof.missing and not proof.unexpected
    assert by_name("django").unknown(rows, work.history) == frozenset()


def test_a_second_run_changes_nothing(shop: Project, postgres: Postgres) -> None:
    database = postgres.database()
    shop.run(database)
    before = query(database, "SELECT * FROM django_migrations ORDER BY id")
    again = shop.run(database)
    assert "No migrations to apply" in again.output
    assert query(database, "SELECT * FROM django_migrations ORDER BY id") == before


def test_a_migration_that_only_an_empty_table_allows_fails_on_rows(shop: Project, postgres: Postgres) -> None:
    empty, full = postgres.database(), postgres.database()
    for database in (empty, full):
        shop.run(database)
    query(full, CUSTOMER)
    shop.write({"shop/migrations/0003_nickname_required.py": REQUIRED})
    assert shop.run(empty).exit_code == 0
    run = shop.run(full)
    assert run.exit_code != 0
    assert run.failed and run.failed.error
    assert (run.failed.error.sqlstate, "SET NOT NULL" in run.failed.sql) == ("23502", True)
    assert shop.rows(full) & {"shop.0003_nickname_required"} == set()
    system, history = by_name("django"), shop.work().history
    assert system.bookkeeping
    found = attribute(run.statements, history, system.bookkeeping(shop.unit), applied=shop.rows(full))
    assert [s.path for s in found if s.error] == ["shop/migrations/0003_nickname_required.py"]


def test_statements_are_attributed_to_the_migrations_that_sent_them(
    shop: Project, postgres: Postgres
) -> None:
    run = shop.run(postgres.database())
    system = by_name("django")
    assert system.bookkeeping
    history = system.history(shop.unit, tree_of(shop.path))
    found = attribute(run.statements, history, system.bookkeeping(shop.unit))
    paths = {s.path for s in found if 'ADD COLUMN "nickname"' in s.sql}
    assert paths == {"shop/migrations/0002_customer_nickname.py"}
    assert {s.path for s in found if 'CREATE TABLE "shop_customer"' in s.sql} == {
        "shop/migrations/0001_initial.py"
    }


def test_an_address_in_the_settings_leads_to_the_test_database_all_the_same(
    shop: Project, postgres: Postgres
) -> None:
    production, test = postgres.database(), postgres.database()
    settings = (shop.path / "config/settings.py").read_text()
    hard_coded = f"""
DATABASES = {{"default": {{
    "ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": {production.port},
    "NAME": "{production.database}", "USER": "{production.user}", "PASSWORD": "{production.password}",
    "CONN_MAX_AGE": 600, "OPTIONS": {{"sslmode": "disable", "options": "-c lock_timeout=5s"}},
}}}}
"""
    shop.write({"config/settings.py": settings + hard_coded})
    run = shop.run(test)
    assert run.exit_code == 0, run.output
    assert OURS <= shop.rows(test)
    assert tables(production) == set()


def test_a_manage_py_that_assigns_its_settings_is_led_there_too(shop: Project, postgres: Postgres) -> None:
    text = (shop.path / "manage.py").read_text()
    assigned = text.replace(
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", ', 'os.environ["DJANGO_SETTINGS_MODULE"] = ('
    )
    shop.write({"manage.py": assigned})
    database = postgres.database()
    run = shop.run(database)
    assert run.exit_code == 0, run.output
    assert OURS <= shop.rows(database)


def test_settings_that_turn_out_to_be_no_postgres_are_refused(shop: Project, postgres: Postgres) -> None:
    settings = (shop.path / "config/settings.py").read_text()
    computed = (
        '\nDATABASES["default"] = {"ENGINE": "django.db.backends." + "sqlite3", "NAME": "db.sqlite3"}\n'
    )
    shop.write({"config/settings.py": settings + computed})
    run = shop.run(postgres.database())
    assert run.exit_code != 0
    assert "uses django.db.backends.sqlite3, not Postgres" in run.output
    assert not (shop.path / "db.sqlite3").exists()


def test_a_migration_of_an_app_that_is_not_installed_is_missing(shop: Project, postgres: Postgres) -> None:
    forgotten = HEAD + "    dependencies = []\n    operations = []\n"
    shop.write({"forgotten/migrations/0001_initial.py": forgotten, "forgotten/__init__.py": ""})
    database = postgres.database()
    run = shop.run(database)
    assert run.exit_code == 0
    work = shop.work()
    proof = by_name("django").prove(frozenset(), shop.rows(database), work.history, work.pushed)
    assert proof.missing == {"forgotten.0001_initial"}


def test_a_squashed_migration_and_what_it_replaces_are_no_surprise(shop: Project, postgres: Postgres) -> None:
    database = postgres.database()
    shop.run(database)
    before = shop.rows(database)
    squashed = (
        HEAD
        + """\
    replaces = [("shop", "0001_initial"), ("shop", "0002_customer_nickname")]
    initial = True
    dependencies = []
    operations = [migrations.CreateModel("Customer", fields=[
        ("id", models.BigAutoField(primary_key=True, serialize=False)),
        ("email", models.TextField()), ("nickname", models.TextField(null=True))])]
"""
    )
    base = tree_of(shop.path)
    for old in ("0001_initial", "0002_customer_nickname"):
        (shop.path / f"shop/migrations/{old}.py").unlink()
    shop.write({"shop/migrations/0001_squashed_0002.py": squashed})
    work = shop.work(base)
    assert work.edits == ()
    assert [migration.id for migration in work.pushed] == ["shop.0001_squashed_0002"]
    assert shop.run(database).exit_code == 0
    proof = by_name("django").prove(before, shop.rows(database), work.history, work.pushed)
    assert not proof.missing and not proof.unexpected
    assert by_name("django").unknown(before, work.history) == frozenset()
