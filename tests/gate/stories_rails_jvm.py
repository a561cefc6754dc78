"""Stories of Ruby's and Java's migration tools."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import pytest

from neon_hooks.dsn import Dsn
from tests.fix_jvm import jvm_program, maven_environ, maven_plugin
from tests.fix_systems import PROJECTS
from tests.gate.stories import UNIQUE_INDEX, Kit, Story

CHANGE = """\
class {name} < ActiveRecord::Migration[6.1]
  def change
    {body}
  end
end
"""
DECOY = """\
development:
  adapter: postgresql
  url: {url}
"""


def rails() -> Kit:
    """Debian's Rails: ruby-activerecord, ruby-railties, ruby-pg, rake."""
    if not shutil.which("rake") or not shutil.which("rails"):
        pytest.skip("needs Rails")
    return Kit()


def change(name: str, body: str) -> str:
    return CHANGE.format(name=name, body=body)


def database_yml(decoy: Dsn) -> Mapping[str, str]:
    """With ``url:``, Rails takes no notice of DATABASE_URL."""
    return {"config/database.yml": DECOY.format(url=decoy.uri())}


ACTIVE_RECORD = Story(
    "activerecord", "activerecord", "customers",
    good=(
        "db/migrate/20260301000000_add_country.rb",
        change("AddCountry", "add_column :customers, :country, :text"),
    ),
    good_id="20260301000000",
    bad=(
        "db/migrate/20260301000000_unique_email.rb",
        change("UniqueEmail", "add_index :customers, :email, unique: true"),
    ),
    bad_line=3,
    deploy=("rake", "db:migrate"),
    environment=rails,
    environ={"SECRET_KEY_BASE": "canary-secret-key"},
    idle={"Rakefile": 'task("db:migrate") { puts "nothing to do today" }\n'},
    hard_coded=database_yml,
    after_good=(
        "db/migrate/20260401000000_remove_country.rb",
        change("RemoveCountry", "remove_column :customers, :country, :text"),
    ),
    after_good_id="20260401000000",
)  # fmt: skip


def flyway() -> Kit:
    return Kit(path=(jvm_program("flyway"),))


def flyway_maven() -> Kit:
    maven_plugin("flyway_maven", "flyway:migrate", "-Dflyway.url=jdbc:postgresql://127.0.0.1:1/none")
    return Kit(environ=maven_environ())


def flyway_toml(decoy: Dsn) -> Mapping[str, str]:
    text = (PROJECTS / "flyway/flyway.toml").read_text()
    url = f'url = "jdbc:postgresql://{decoy.host}:{decoy.port}/{decoy.database}"'
    fixed = f'{url}\nuser = "{decoy.user}"\npassword = "{decoy.password}"\n'
    old = 'url = "jdbc:postgresql://production.example.com/shop"\nuser = "shop"\n'
    assert old in text
    return {"flyway.toml": text.replace(old, fixed)}


def flyway_pom(decoy: Dsn) -> Mapping[str, str]:
    text = (PROJECTS / "flyway_maven/pom.xml").read_text()
    assert "production.example.com/shop" in text
    text = text.replace("production.example.com/shop", f"{decoy.host}:{decoy.port}/{decoy.database}")
    login = f"<user>{decoy.user}</user>\n          <password>{decoy.password}</password>"
    return {"pom.xml": text.replace("<user>shop</user>", login)}


COUNTRY = "ALTER TABLE customers ADD COLUMN country text;\n"
NO_COUNTRY = "ALTER TABLE customers DROP COLUMN country;\n"
FLYWAY = Story(
    "flyway", "flyway", "customers",
    good=("sql/V1_2__country.sql", COUNTRY),
    good_id="1.2",
    bad=("sql/V1_2__unique.sql", UNIQUE_INDEX.format(table="customers") + ";\n"),
    bad_line=1,
    deploy=("flyway", "-url={jdbc_url}", "-user={user}", "-password={password}", "migrate"),
    environment=flyway,
    environ={"FLYWAY_URL": "jdbc:postgresql://production.example.com/shop", "FLYWAY_PASSWORD": "canary-password"},
    idle={"bin/flyway": "#!/bin/sh\necho nothing to do today\n"},
    hard_coded=flyway_toml,
    after_good=("sql/V1_10__no_country.sql", NO_COUNTRY),
    after_good_id="1.10",
    shim=False,
    old_sql="sql/V1_1__nickname.sql", refuses=True,
)  # fmt: skip
MIGRATIONS = "src/main/resources/db/migration"
FLYWAY_MAVEN = Story(
    "flyway", "flyway_maven", "customers",
    good=(f"{MIGRATIONS}/V1_2__country.sql", COUNTRY),
    good_id="1.2",
    bad=(f"{MIGRATIONS}/V1_2__unique.sql", FLYWAY.bad[1]),
    bad_line=1,
    deploy=("mvn", "-B", "flyway:migrate", "-Dflyway.url={jdbc_url}", "-Dflyway.user={user}",
            "-Dflyway.password={password}"),
    environment=flyway_maven,
    environ=FLYWAY.environ,
    hard_coded=flyway_pom,
    after_good=(f"{MIGRATIONS}/V1_10__no_country.sql", NO_COUNTRY),
    after_good_id="1.10",
    shim=False,
)  # fmt: skip


def liquibase() -> Kit:
    return Kit(path=(jvm_program("liquibase"),))


def liquibase_properties(decoy: Dsn) -> Mapping[str, str]:
    url = f"jdbc:postgresql://{decoy.host}:{decoy.port}/{decoy.database}"
    lines = ("changeLogFile=db/changelog/root.xml", f"url={url}", f"username={decoy.user}", f"password={decoy.password}")
    return {"liquibase.properties": "\n".join(lines) + "\n"}


def change_set(id: int, sql: str, back: str) -> str:
    return f"--liquibase formatted sql\n\n--changeset shop:{id}\n{sql}--rollback {back}"


SQL = "db/changelog/sql"
LIQUIBASE = Story(
    "liquibase", "liquibase", "customers",
    good=(f"{SQL}/003_country.sql", change_set(3, COUNTRY, NO_COUNTRY)),
    good_id=f"{SQL}/003_country.sql::3::shop",
    bad=(f"{SQL}/003_unique.sql", change_set(3, FLYWAY.bad[1], "DROP INDEX email_key;\n")),
    bad_line=4,
    deploy=("liquibase", "--url={jdbc_url}", "--username={user}", "--password={password}", "update"),
    environment=liquibase,
    environ={"LIQUIBASE_COMMAND_URL": "jdbc:postgresql://production.example.com/shop",
             "LIQUIBASE_COMMAND_PASSWORD": "canary-password"},
    idle={"bin/liquibase": "#!/bin/sh\necho nothing to do today\n"},
    hard_coded=liquibase_properties,
    after_good=(f"{SQL}/004_no_country.sql", change_set(4, NO_COUNTRY, COUNTRY)),
    after_good_id=f"{SQL}/004_no_country.sql::4::shop",
    shim=False,
    old_sql="db/changelog/sql/002_nickname.sql", refuses=True,
)  # fmt: skip
SPRING_SQL = "data/src/main/resources/db/changelog/sql"
# Deployed by the program itself: Spring takes "classpath:" off a name, the command line needs a link.
SPRING_DEPLOYS = """
ln -s "$PWD/data/src/main/resources/db" "$HOME/classpath:db"
exec liquibase --searchPath="data/src/main/resources,$HOME" --changeLogFile=db/changelog/schema.xml \\
    --url={jdbc_url} --username={user} --password={password} update
"""
LIQUIBASE_SPRING = Story(
    "liquibase", "liquibase_spring", "customers",
    good=(f"{SPRING_SQL}/003_country.sql", change_set(3, COUNTRY, NO_COUNTRY)),
    good_id="db/changelog/sql/003_country.sql::3::shop",
    bad=(f"{SPRING_SQL}/003_unique.sql", change_set(3, FLYWAY.bad[1], "DROP INDEX email_key;\n")),
    bad_line=4,
    deploy=("sh", "-c", SPRING_DEPLOYS),
    environment=liquibase,
    shim=False,
)  # fmt: skip
STORIES = (ACTIVE_RECORD, FLYWAY, FLYWAY_MAVEN, LIQUIBASE)
