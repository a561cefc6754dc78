"""One row per migration system: a project, how it is deployed, and migrations that work and do not."""

from __future__ import annotations

import os
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
    {back}
"""
DJANGO_MIGRATION = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("shop", "{parent}")]
    operations = [{body}]
"""
ROWS = "INSERT INTO {table} (email) SELECT 'c' || i % 99 || '@example.com' FROM generate_series(1, 1000) i"
IGNORED = ".venv\nnode_modules\n__pycache__/\n.env\n"
UNIQUE_INDEX = "CREATE UNIQUE INDEX email_key ON {table} (email)"


def alembic(body: str, id: str = "c3", parent: str = "b2", back: str = 'op.execute("SELECT 2")') -> str:
    return ALEMBIC_UPGRADE.format(id=id, parent=parent, body=body, back=back)


def django(body: str, parent: str = "0002_customer_nickname") -> str:
    return DJANGO_MIGRATION.format(body=body, parent=parent)


@dataclass(frozen=True)
class Kit:
    """What is installed for a project, and how its work tree gets to it.

    ``links`` are put into the work tree (name -> directory: ".venv", "node_modules"), ``path`` in front
    of PATH, ``environ`` into the developer's environment.
    """

    links: Mapping[str, Path] = field(default_factory=dict)
    path: tuple[Path, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


def python_kit(name: str) -> Callable[[], Kit]:
    return lambda: Kit(links={".venv": python_environment(name).parent.parent})


@dataclass(frozen=True)
class Story:
    """``good`` and ``bad`` are (path, text); ``bad`` works on an empty table and fails on the rows.

    ``good`` adds the text column ``country`` to ``table``. ``after_good`` is a migration that comes after
    it. ``bad_line`` is where the statement stands, 0 where that cannot be known. ``idle`` makes the tool
    end without error and without work; ``hard_coded`` names another database in the project's own
    configuration, whatever the environment says. ``deploy`` is the argv of the project's own tool, found
    on the PATH of the ``environment``; DATABASE_URL and the like are in its environment, and the words
    ``{url}``, ``{jdbc_url}``, ``{host}``, ``{port}``, ``{database}``, ``{user}``, ``{password}`` are filled
    in. An ``environment`` may skip ("needs X"). ``shim``: statements of the tool can be seen. ``records``:
    the system has a bookkeeping. ``beside``: what a commit changes together with the migration at a path.
    ``old_sql``: for tools that keep checksums, an SQL file that is applied; the tool ``refuses`` to go on
    when its content is another one.
    """

    system: str
    project: str
    table: str
    good: tuple[str, str]
    good_id: str
    bad: tuple[str, str]
    bad_line: int
    deploy: tuple[str, ...]
    environment: Callable[[], Kit] | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    idle: Mapping[str, str] = field(default_factory=dict)
    hard_coded: Callable[[Dsn], Mapping[str, str]] | None = None
    after_good: tuple[str, str] = ("", "")
    after_good_id: str = ""
    shim: bool = True
    records: bool = True
    beside: Callable[[str], Mapping[str, str]] = lambda path: {}
    old_sql: str = ""
    refuses: bool = False

    def pushing(self, migration: tuple[str, str]) -> dict[str, str]:
        """The files of a commit that brings ``migration``."""
        path, text = migration
        return {**self.beside(path), path: text}

    def start(self, team: Team) -> None:
        """The project as it is in production: pushed, deployed with its own tool, and full of rows."""
        kit = self.environment() if self.environment else Kit()
        source = PROJECTS / self.project
        files = {p.relative_to(source).as_posix(): p.read_text() for p in source.rglob("*") if p.is_file()}
        files = {path: text for path, text in files.items() if "__pycache__" not in path}
        team.environ |= {**kit.environ, **self.environ}
        if kit.path:
            team.environ["PATH"] = os.pathsep.join([*map(str, kit.path), os.environ["PATH"]])
        team.deployed({**files, ".gitignore": IGNORED})
        for name, directory in kit.links.items():
            (team.clone.path / name).symlink_to(directory)
        deploy(self, team, team.emulator.main)
        team.query(ROWS.format(table=self.table))

    def uninstall(self, team: Team) -> None:
        """A developer who has not installed the project's tools."""
        kit = self.environment() if self.environment else Kit()
        for name in kit.links:
            (team.clone.path / name).unlink()
        team.environ["PATH"] = os.environ["PATH"]


def deploy(story: Story, team: Team, main: Dsn) -> None:
    """What CI/CD does: the project's own tool, or psql, on main."""
    if not story.deploy:
        for file in sorted((team.clone.path / "migrations").glob("*.sql")):
            if ".down." not in file.name:
                team.query(file.read_text())
        return
    environ = {**team.environment(), **of_main(main)}
    here = [str(team.clone.path / each) for each in (".venv/bin", "node_modules/.bin", "bin", ".")]
    environ["PATH"] = os.pathsep.join([*here, environ["PATH"]])
    argv = [_filled_in(word, main) for word in story.deploy]
    argv[0] = shutil.which(argv[0], path=environ["PATH"]) or argv[0]
    done = subprocess.run(argv, cwd=team.clone.path, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def of_main(main: Dsn) -> Mapping[str, str]:
    """How the deployment tells the tool where main is."""
    return {
        "DATABASE_URL": main.uri(),
        "DIRECT_URL": main.uri(),
        "DB_HOST": main.host,
        "DB_NAME": main.database,
        "DB_USER": main.user,
        "DB_PASSWORD": main.password,
        "DB_SSLMODE": "prefer",
        "PGHOST": main.host,
        "PGPORT": str(main.port),
        "PGUSER": main.user,
        "PGPASSWORD": main.password,
        "PGDATABASE": main.database,
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _filled_in(word: str, main: Dsn) -> str:
    values = {
        "url": main.uri(), "jdbc_url": f"jdbc:postgresql://{main.host}:{main.port}/{main.database}",
        "host": main.host, "port": str(main.port), "database": main.database,
        "user": main.user, "password": main.password,
    }  # fmt: skip
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def alembic_env(decoy: Dsn) -> Mapping[str, str]:
    text = (PROJECTS / "alembic/migrations/env.py").read_text()
    return {"migrations/env.py": text.replace('os.environ["DATABASE_URL"]', repr(decoy.uri("postgresql+psycopg")))}


def django_settings(decoy: Dsn) -> Mapping[str, str]:
    text = (PROJECTS / "django/config/settings.py").read_text()
    fixed = {"HOST": decoy.host, "NAME": decoy.database, "USER": decoy.user, "PASSWORD": decoy.password, "PORT": str(decoy.port)}
    return {"config/settings.py": text + f'\nDATABASES["default"].update({fixed!r})\nDATABASES["default"]["OPTIONS"] = {{}}\n'}


ALEMBIC = Story(
    "alembic", "alembic", "customers",
    good=("migrations/versions/c3.py", alembic(
        'op.add_column("customers", sa.Column("country", sa.Text))', back='op.drop_column("customers", "country")'
    )),
    good_id="c3",
    bad=("migrations/versions/c3.py", alembic('op.create_unique_constraint("email_key", "customers", ["email"])')),
    bad_line=8,
    deploy=("python", "-m", "alembic", "upgrade", "heads"),
    environment=python_kit("sqlalchemy"),
    environ={"DATABASE_URL": "postgresql+psycopg://app:canary-password@production.example.com/shop"},
    idle={"migrations/env.py": "print('nothing to do today')\n"},
    hard_coded=alembic_env,
    after_good=("migrations/versions/d4.py", alembic(
        'op.drop_column("customers", "country")', "d4", "c3", 'op.add_column("customers", sa.Column("country", sa.Text))'
    )),
    after_good_id="d4",
)  # fmt: skip
FLASK = Story(
    "alembic", "flask_migrate", "customers",
    good=ALEMBIC.good, good_id="c3", bad=ALEMBIC.bad, bad_line=8,
    deploy=("python", "-m", "flask", "db", "upgrade", "heads"),
    environment=python_kit("sqlalchemy"),
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
    bad_line=6,
    deploy=("python", "manage.py", "migrate", "--noinput"),
    environment=python_kit("django"),
    environ={"SECRET_KEY": "canary-secret-key", "DB_PASSWORD": "canary-password"},
    idle={"manage.py": '# DJANGO_SETTINGS_MODULE = "config.settings"\nprint("nothing to do today")\n'},
    hard_coded=django_settings,
    after_good=(
        "shop/migrations/0004_no_country.py",
        django('migrations.RemoveField("customer", "country")', "0003_country"),
    ),
    after_good_id="shop.0004_no_country",
)  # fmt: skip
SQL = Story(
    "sql", "sql", "customers",
    good=("migrations/003_country.sql", "ALTER TABLE customers ADD COLUMN country text;\n"),
    good_id="003_country.sql",
    bad=("migrations/003_unique.sql", UNIQUE_INDEX.format(table="customers") + ";\n"),
    bad_line=1,
    deploy=(),
    records=False,
    beside=lambda path: {path.replace(".sql", ".down.sql"): "ALTER TABLE customers DROP COLUMN IF EXISTS country;\n"},
)  # fmt: skip
STORIES = (ALEMBIC, FLASK, DJANGO, SQL)
