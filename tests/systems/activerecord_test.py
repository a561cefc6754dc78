"""Active Record: where it is used, what its migrations are called, how it is started."""

from __future__ import annotations

import pytest

from neon_hooks.plan import Command
from neon_hooks.settings import Settings
from neon_hooks.systems import by_name, detect, work_for
from neon_hooks.systems.activerecord import same_ruby
from tests.fix_systems import PROJECTS, changes, tree, tree_of

APPLICATION = {"config/application.rb": "module Shop\n  class Application < Rails::Application\n  end\nend\n"}
MIGRATION = "class Some < ActiveRecord::Migration[7.1]\n  def change\n  end\nend\n"
TWO_DATABASES = """\
default: &default
  adapter: postgresql
  pool: <%= ENV.fetch("RAILS_MAX_THREADS") { 5 } %>

production:
  primary:
    <<: *default
    url: <%= ENV["DATABASE_URL"] %>
  primary_replica:
    <<: *default
    replica: true
  reports:
    <<: *default
    migrations_paths: db/reports_migrate
"""


def test_the_example_is_one_unit_with_its_evidence() -> None:
    (unit,) = detect(tree_of(PROJECTS / "activerecord"), Settings())
    assert (unit.system, unit.root, unit.migrations_dir) == ("activerecord", "", "db/migrate")
    assert unit.evidence == ("config/application.rb", "db/migrate/ has 2 migrations")


@pytest.mark.parametrize(
    "files",
    [
        {**APPLICATION},
        {**APPLICATION, "db/migrate/20260101000000_a.rb": MIGRATION, "Gemfile": 'gem "mysql2"\n'},
        {
            **APPLICATION,
            "db/migrate/20260101000000_a.rb": MIGRATION,
            "config/database.yml": "development:\n  adapter: sqlite3\n",
        },
        {"db/migrate/20260101000000_a.rb": MIGRATION, "shop.gemspec": "", "Rakefile": ""},
        {
            "test/dummy/config/application.rb": "x",
            "test/dummy/db/migrate/20260101000000_a.rb": MIGRATION,
        },
    ],
    ids=["no migration", "MySQL by its gem", "SQLite by database.yml", "an engine", "a test's application"],
)
def test_what_has_no_postgres_of_its_own_is_no_unit(files: dict[str, str]) -> None:
    assert [unit for unit in detect(tree(files), Settings()) if unit.system == "activerecord"] == []


def test_a_program_without_rails_has_a_rakefile_and_a_database_yml() -> None:
    files = {"Rakefile": "", "config/database.yml": "production:\n  adapter: postgresql\n",
             "db/migrate/20260101000000_a.rb": MIGRATION}  # fmt: skip
    (unit,) = detect(tree(files), Settings())
    assert unit.options["environment"] == "production"


def test_the_order_is_that_of_the_numbers_whatever_lies_below_which_directory() -> None:
    names = ("20260101000000_b.rb", "old/3_c.rb", "20250101000000_z.shop.rb", "README.md", "x_20270101.rb")
    project = tree({**APPLICATION, **{f"db/migrate/{name}": MIGRATION for name in names}})
    (unit,) = detect(project, Settings())
    found = by_name("activerecord").history(unit, project)
    assert [migration.id for migration in found] == ["3", "20250101000000", "20260101000000"]


def test_each_database_that_somebody_migrates_is_a_unit_with_a_task_of_its_own() -> None:
    project = tree({
        **APPLICATION, "config/database.yml": TWO_DATABASES,
        "db/migrate/20260101000000_a.rb": MIGRATION, "db/reports_migrate/20260102000000_b.rb": MIGRATION,
    })  # fmt: skip
    primary, reports = detect(project, Settings())
    assert (primary.migrations_dir, reports.migrations_dir) == ("db/migrate", "db/reports_migrate")
    command = by_name("activerecord").apply(reports, ())
    assert isinstance(command, Command)
    assert command.argv == ("rake", "db:migrate:reports")
    assert command.environment["REPORTS_DATABASE_URL"] == "{url_with_password}"
    assert command.environment["RAILS_ENV"] == "production"
    assert command.environment["SCHEMA"].startswith("{files}/")


def test_the_url_keeps_the_adapter_that_the_project_uses() -> None:
    project = tree({
        **APPLICATION, "config/database.yml": "development:\n  adapter: postgis\n",
        "db/migrate/20260101000000_a.rb": MIGRATION,
    })  # fmt: skip
    (unit,) = detect(project, Settings())
    command = by_name("activerecord").apply(unit, ())
    assert isinstance(command, Command) and command.url_schemes == ("postgis",)


def test_the_bookkeeping_follows_the_configuration() -> None:
    config = 'config.active_record.schema_migrations_table_name = "versions"\nconfig.active_record.table_name_prefix = "shop_"\n'
    project = tree({"config/application.rb": config, "db/migrate/20260101000000_a.rb": MIGRATION})
    (unit,) = detect(project, Settings())
    kept = by_name("activerecord").bookkeeping
    assert kept and kept(unit).table == "shop_versions"


def test_a_comment_is_no_edit_and_code_is() -> None:
    before = tree({**APPLICATION, "db/migrate/20260101000000_a.rb": MIGRATION})
    commented = tree({**APPLICATION, "db/migrate/20260101000000_a.rb": f"# why\n\n{MIGRATION}"})
    edited = tree({**APPLICATION, "db/migrate/20260101000000_a.rb": MIGRATION.replace("change", "up")})
    (unit,) = detect(before, Settings())
    assert work_for(unit, commented, before, changes(before, commented)).edits == ()
    assert [e.what for e in work_for(unit, edited, before, changes(before, edited)).edits] == ["edited"]


def test_in_a_heredoc_every_line_counts() -> None:
    assert not same_ruby(b"execute <<~SQL\n  # a\n  SELECT 1\nSQL\n", b"execute <<~SQL\n  SELECT 1\nSQL\n")
