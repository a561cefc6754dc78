"""One row per migration system: a project, how it is deployed, and migrations that work and do not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neon_hooks.dsn import Dsn
from tests.fix_gate import Team
from tests.fix_systems import PROJECTS, python_environment

ALEMBIC_UPGRADE = """
import sqlalchemy as sa
from alembic import op
revision = "{id}"
down_revision = "{parent}"

def upgrade():
    {body}

def downgrade():
    pass
"""
DJANGO_MIGRATION = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("shop", "{parent}")]
    operations = [{body}]
"""
ROWS = "INSERT INTO {table} (email) SELECT 'c' || i % 99 || '@example.com' FROM generate_series(1, 1000) i"
UNIQUE_INDEX = "CREATE UNIQUE INDEX email_key ON {table} (email)"


def alembic(body: str, id: str = "c3", parent: str = "b2") -> str:
    return ALEMBIC_UPGRADE.format(id=id, parent=parent, body=body)


def django(body: str, parent: str = "0002_customer_nickname") -> str:
    return DJANGO_MIGRATION.format(body=body, parent=parent)


@dataclass(frozen=True)
class Story:
    """``good`` and ``bad`` are (path, text); ``bad`` works on an empty table and fails on the rows.

    ``bad_line`` is where the statement stands, 0 where that cannot be known. ``idle`` makes the tool end without error and without work; ``hard_coded`` names another database in the
    project's own configuration, whatever the environment says.
    """

    system: str
    project: str
    table: str
    good: tuple[str, str]
    good_id: str
    bad: tuple[str, str]
    bad_line: int
    deploy: tuple[str, ...]
    environment: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    idle: Mapping[str, str] = field(default_factory=dict)
    hard_coded: Callable[[Dsn], Mapping[str, str]] | None = None

    def start(self, team: Team) -> None:
        """The project as it is in production: pushed, deployed with its own tool, and full of rows."""
        source = PROJECTS / self.project
        files = {p.relative_to(source).as_posix(): p.read_text() for p in source.rglob("*") if p.is_file()}
        files = {path: text for path, text in files.items() if "__pycache__" not in path}
        team.environ |= self.environ
        team.deployed({**files, ".gitignore": ".venv\n__pycache__/\n.env\n"})
        if self.environment:
            python = python_environment(self.environment)
            (team.clone.path / ".venv").symlink_to(python.parent.parent)
        deploy(self, team, team.emulator.main)
        team.query(ROWS.format(table=self.table))


def deploy(story: Story, team: Team, main: Dsn) -> None:
    """What CI/CD does: the project's own tool, or psql, on main."""
    if not story.environment:
        for file in sorted((team.clone.path / "migrations").glob("*.sql")):
            if ".down." not in file.name:
                team.query(file.read_text())
        return
    environ = {
        **team.environment(),
        "DATABASE_URL": main.uri("postgresql+psycopg"),
        "DB_HOST": main.host,
        "DB_NAME": main.database,
        "DB_USER": main.user,
        "DB_PASSWORD": main.password,
        "DB_SSLMODE": "prefer",
        "PGPORT": str(main.port),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    argv = [str(python_environment(story.environment)), *story.deploy]
    done = subprocess.run(argv, cwd=team.clone.path, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def alembic_env(decoy: Dsn) -> Mapping[str, str]:
    text = (PROJECTS / "alembic/migrations/env.py").read_text()
    return {"migrations/env.py": text.replace('os.environ["DATABASE_URL"]', repr(decoy.uri("postgresql+psycopg")))}


def django_settings(decoy: Dsn) -> Mapping[str, str]:
    text = (PROJECTS / "django/config/settings.py").read_text()
    fixed = {"HOST": decoy.host, "NAME": decoy.database, "USER": decoy.user, "PASSWORD": decoy.password, "PORT": str(decoy.port)}
    return {"config/settings.py": text + f'\nDATABASES["default"].update({fixed!r})\nDATABASES["default"]["OPTIONS"] = {{}}\n'}


ALEMBIC = Story(
    "alembic", "alembic", "customers",
    good=("migrations/versions/c3.py", alembic('op.add_column("customers", sa.Column("country", sa.Text))')),
    good_id="c3",
    bad=("migrations/versions/c3.py", alembic('op.create_unique_constraint("email_key", "customers", ["email"])')),
    bad_line=8,
    deploy=("-m", "alembic", "upgrade", "heads"),
    environment="sqlalchemy",
    environ={"DATABASE_URL": "postgresql+psycopg://app:canary-password@production.example.com/shop"},
    idle={"migrations/env.py": "print('nothing to do today')\n"},
    hard_coded=alembic_env,
)  # fmt: skip
FLASK = Story(
    "alembic", "flask_migrate", "customers",
    good=ALEMBIC.good, good_id="c3", bad=ALEMBIC.bad, bad_line=8,
    deploy=("-m", "flask", "db", "upgrade", "heads"),
    environment="sqlalchemy",
    environ=ALEMBIC.environ,
    idle={"migrations/env.py": "from alembic import context\nfrom flask import current_app\n"},
)  # fmt: skip
DJANGO = Story(
    "django", "django", "shop_customer",
    good=(
        "shop/migrations/0003_country.py",
        django('migrations.AddField("customer", "country", models.TextField(null=True))'),
    ),
    good_id="shop.0003_country",
    bad=(
        "shop/migrations/0003_unique.py",
        django('migrations.AlterField("customer", "email", models.TextField(unique=True))'),
    ),
    bad_line=0,  # Django runs operations long after the file was read
    deploy=("manage.py", "migrate", "--noinput"),
    environment="django",
    environ={"SECRET_KEY": "canary-secret-key", "DB_PASSWORD": "canary-password"},
    idle={"manage.py": '# DJANGO_SETTINGS_MODULE = "config.settings"\nprint("nothing to do today")\n'},
    hard_coded=django_settings,
)  # fmt: skip
SQL = Story(
    "sql", "sql", "customers",
    good=("migrations/003_country.sql", "ALTER TABLE customers ADD COLUMN country text;\n"),
    good_id="003_country.sql",
    bad=("migrations/003_unique.sql", UNIQUE_INDEX.format(table="customers") + ";\n"),
    bad_line=1,
    deploy=(),
)  # fmt: skip
STORIES = (ALEMBIC, FLASK, DJANGO, SQL)
TOOLS = (ALEMBIC, FLASK, DJANGO)  # those with a tool and a bookkeeping of their own
