"""Models and migrations that do not agree: what blocks, what is only said, and what has nothing to do with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from neon_hooks.emulator import binaries
from tests.fix_gate import Pushed, Team
from tests.fix_systems import PROJECTS
from tests.gate.beside_test import validate
from tests.gate.stories import ALEMBIC, DJANGO, Story
from tests.gate.stories_javascript import MIKRO_ORM, TYPEORM
from tests.gate.stories_native import DIESEL
from tests.gate.stories_node_sql import DRIZZLE_1, PRISMA, PRISMA_6
from tests.gate.stories_rails_jvm import ACTIVE_RECORD

RULES = ("missing-migration", "models-drift", "models-not-compared")
ALEMBIC_ENV = """\
import os

from alembic import context
from sqlalchemy import create_engine

from models import Base

engine = create_engine(os.environ["DATABASE_URL"])
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
ALEMBIC_MODELS = """\
from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    nickname: Mapped[str | None] = mapped_column(Text)
"""


def text(story: Story, path: str) -> str:
    return (PROJECTS / story.project / path).read_text()


@dataclass(frozen=True)
class Models:
    """``files`` make models and migrations agree; ``country`` is the models with the column of the story's good
    migration, ``nickname`` those without an old column. ``says``: what the tool calls the new column.
    """

    story: Story
    path: str
    models: str
    country: str
    nickname: str
    says: str
    files: Mapping[str, str] = field(default_factory=dict)

    def start(self, team: Team) -> None:
        self.story.start(team)
        team.deployed({**self.files, self.path: self.models})
        team.environ["NEON_HOOKS_TRIALS_DRIFT"] = "true"


def models(story: Story, path: str, says: str, nickname: str, country: str, whole: str = "", **more: Any) -> Models:
    whole = whole or text(story, path)
    assert nickname in whole
    return Models(story, path, whole, whole.replace(nickname, nickname + country), whole.replace(nickname, ""), says, **more)


TYPEORM_ENTITIES = """
const Customer = new EntitySchema({
  name: "Customer",
  tableName: "customers",
  columns: {
    id: { type: "bigint", primary: true, generated: true },
    email: { type: "text" },
    nickname: { type: "text", nullable: true },
  },
});
"""
TYPEORM_SOURCE = (
    text(TYPEORM, "data-source.js")
    .replace("{ DataSource }", "{ DataSource, EntitySchema }")
    .replace("  migrations:", "  entities: [Customer],\n  migrations:")
    .replace("\nmodule", TYPEORM_ENTITIES + "\nmodule")
)
OLD_SCRIPT, NEW_SCRIPT = (f'    {name}: {{ type: "text", nullable: true }},\n' for name in ("nickname", "country"))
SQL_ALCHEMY = models(
    ALEMBIC, "models.py", "add_column",
    "    nickname: Mapped[str | None] = mapped_column(Text)\n", "    country: Mapped[str | None] = mapped_column(Text)\n",
    ALEMBIC_MODELS, files={"migrations/env.py": ALEMBIC_ENV},
)  # fmt: skip
DJANGO_MODELS = models(
    DJANGO, "shop/models.py", "Add field country to customer",
    "    nickname = models.TextField(null=True)\n", "    country = models.TextField(null=True)\n",
)  # fmt: skip
RAILS_SCHEMA = """\
ActiveRecord::Schema.define(version: 2026_02_01_000000) do

  # These are extensions that must be enabled in order to support this database
  enable_extension "plpgsql"

  create_table "customers", force: :cascade do |t|
    t.text "email", null: false
    t.text "nickname"
  end

end
"""
RAILS = models(
    ACTIVE_RECORD, "db/schema.rb", '- create_table "customers": t.text "country"',
    '    t.text "nickname"\n', '    t.text "country"\n', RAILS_SCHEMA,
)  # fmt: skip
DIESEL_SCHEMA = models(
    DIESEL, "src/schema.rs", "- customers (id): country -> Nullable<Text>",
    "        nickname -> Nullable<Text>,\n", "        country -> Nullable<Text>,\n",
)  # fmt: skip
COUNTRY = "  nickname String?\n", "  country  String?\n"
ALL = (
    SQL_ALCHEMY,
    DJANGO_MODELS,
    models(PRISMA, "prisma/schema.prisma", "Added column `country`", *COUNTRY),
    models(DRIZZLE_1, "src/schema.ts", 'ADD COLUMN "country" text', "  nickname: text(),\n", "  country: text(),\n"),
    models(TYPEORM, "data-source.js", 'ADD "country" text', OLD_SCRIPT, NEW_SCRIPT, TYPEORM_SOURCE),
    models(MIKRO_ORM, "mikro-orm.config.js", 'add column "country" text', OLD_SCRIPT, NEW_SCRIPT),
    RAILS,
    DIESEL_SCHEMA,
)


def about_models(pushed: Pushed) -> list[tuple[str, str]]:
    return [(f["rule"], f["severity"]) for f in pushed.document["findings"] if f["rule"] in RULES]


@pytest.mark.parametrize("project", ALL, ids=lambda project: project.story.project)
def test_a_push_of_models_alone_that_need_a_migration_is_blocked(team: Team, project: Models) -> None:
    project.start(team)
    pushed = team.push({project.path: project.country})
    assert pushed.exit_code == 1, pushed.said
    (finding,) = pushed.errors
    assert (finding["rule"], finding["path"]) == ("missing-migration", project.path)
    assert len(finding["evidence"]["differences"]) == 1 and project.says in finding["quote"]
    file = {"activerecord": "the schema file of Active Record is not", "diesel": "the schema.rs of diesel is not"}
    assert file.get(project.story.system, "the models need a migration: `") in pushed.said
    assert "finds 1 difference [" in pushed.said
    assert pushed.document["timings"]["drift"] > 0
    assert [run["trial"] for run in pushed.document["systems"][0]["runs"]] == ["apply"]
    team.assert_main_is_untouched()


def test_models_alone_that_are_only_staged_are_tried_too(team: Team) -> None:
    DJANGO_MODELS.start(team)
    team.clone.write({DJANGO_MODELS.path: DJANGO_MODELS.country})
    assert validate(team, "--staged")[1][0]["systems"] == []  # not staged yet
    team.clone.git("add", "--all")
    staged, (document,) = validate(team, "--staged")
    assert staged.exit_code == 1 and document["range"]["staged"], staged.said
    assert [f["rule"] for f in document["findings"] if f["severity"] == "error"] == ["missing-migration"]


def test_what_main_had_before_is_a_note_and_models_with_their_migration_pass(team: Team) -> None:
    SQL_ALCHEMY.start(team)
    team.query("create index by_hand on customers (email)")
    pushed = team.push({SQL_ALCHEMY.path: SQL_ALCHEMY.country, **dict([ALEMBIC.good])})
    assert pushed.passed and about_models(pushed) == [("models-drift", "note")], pushed.said
    (note,) = (f for f in pushed.document["findings"] if f["rule"] == "models-drift")
    assert "by_hand" in note["quote"] and len(note["evidence"]["differences"]) == 1


def test_a_migration_without_its_models_is_told_as_well_and_what_is_old_stands_apart(team: Team) -> None:
    """Django compares with no database, and is asked at the base only because something differs."""
    DJANGO_MODELS.start(team)
    pushed = team.push(dict([DJANGO.good]))
    assert pushed.exit_code == 1
    assert about_models(pushed) == [("missing-migration", "error"), ("models-drift", "note")]
    assert "Remove field country from customer" in pushed.said and "Alter field id" not in pushed.errors[0]["quote"]


@pytest.mark.parametrize("project", [RAILS, DIESEL_SCHEMA], ids=lambda project: project.story.project)
def test_a_migration_without_the_schema_file_that_it_makes_is_blocked_and_with_it_passes(team: Team, project: Models) -> None:
    """What the file lacked before, because somebody changed the database by hand, is a note."""
    project.start(team)
    team.query("alter table customers add column by_hand int")
    forgotten = team.push(project.story.pushing(project.story.good))
    assert about_models(forgotten) == [("missing-migration", "error"), ("models-drift", "note")], forgotten.said
    (finding,) = forgotten.errors
    assert [each for each in finding["evidence"]["differences"] if "country" in each] and "by_hand" not in finding["quote"]
    assert finding["path"] == project.story.good[0]
    whole = project.country.replace("2026_02_01_000000", "2026_03_01_000000")
    pushed = team.push({project.path: whole})
    assert pushed.passed and about_models(pushed) == [("models-drift", "note")], pushed.said
    assert team.clone.git("status", "--porcelain") == ""  # the tool has not written it into the work tree
    team.assert_main_is_untouched()


def test_a_structure_in_sql_is_compared_as_pg_dump_writes_it(team: Team) -> None:
    RAILS.story.start(team)
    (team.home / "bin").mkdir()
    (team.home / "bin/pg_dump").symlink_to(binaries.find().program("pg_dump"))  # as old as the server
    team.environ["NEON_HOOKS_TRIALS_DRIFT"] = "true"
    application = text(ACTIVE_RECORD, "config/application.rb")
    application = application.replace("config.eager", "config.active_record.schema_format = :sql\n    config.eager")
    team.deployed({"config/application.rb": application, "db/structure.sql": "SET lock_timeout = 0;\n"})
    pushed = team.push(dict([ACTIVE_RECORD.good]), environ={"PATH": f"{team.home}/bin{os.pathsep}{os.environ['PATH']}"})
    assert pushed.document["systems"][0]["facts"]["drift"], pushed.said
    (drift,) = (system["facts"]["drift"] for system in pushed.document["systems"])
    new = [each for each in drift["now"]["differences"] if each not in drift["earlier"]["differences"]]
    assert new == ["+ CREATE TABLE public.customers: country text", "+ ('20260301000000')"]


def test_a_tool_that_cannot_compare_is_no_reason_to_block(team: Team) -> None:
    """The engine that stands in for Prisma's own refuses schemas of version 6."""
    project = models(PRISMA_6, "prisma/schema.prisma", "", *COUNTRY)
    project.start(team)
    pushed = team.push({project.path: project.country})
    assert pushed.passed and about_models(pushed) == [("models-not-compared", "note")]


def test_what_changes_no_model_is_not_tried_and_a_project_without_models_has_nothing_to_compare(team: Team) -> None:
    SQL_ALCHEMY.start(team)
    comment = "# Who buys.\n" + SQL_ALCHEMY.models
    assert team.push({SQL_ALCHEMY.path: comment, "app.py": "print()\n"}).document["systems"] == []
    off = {"NEON_HOOKS_TRIALS_DRIFT": "false"}
    assert team.push({SQL_ALCHEMY.path: SQL_ALCHEMY.country}, environ=off).document["systems"] == []
    pushed = team.push({"migrations/env.py": text(ALEMBIC, "migrations/env.py"), **dict([ALEMBIC.good])})
    assert pushed.passed and about_models(pushed) == []
    assert pushed.document["systems"][0]["facts"]["drift"]["now"]["agreement"] == "nothing"
