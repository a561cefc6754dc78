"""Liquibase: changelogs in all their formats, the order of change sets, and a defaults file of our own."""

from __future__ import annotations

import json

import pytest

from neon_hooks.errors import UsageError
from neon_hooks.plan import Command
from neon_hooks.settings import Settings
from neon_hooks.systems import by_name, detect, work_for
from neon_hooks.systems.liquibase import explain
from neon_hooks.systems.liquibase_changelog import Changelog
from tests.fix_systems import PROJECTS, changes, tree, tree_of

XML = '<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog">{}</databaseChangeLog>'
SET = '<changeSet id="{}" author="a" {}><sql>select 1</sql></changeSet>'
PROPERTIES = "changeLogFile=db/root.xml\n"


def rows(files: dict[str, str], root: str = "db/root.xml") -> list[str]:
    return [each.row for each in Changelog(tree(files), ("", "src/main/resources")).change_sets(root)]


def test_the_example_is_one_unit_with_its_change_sets_in_the_order_of_inclusion() -> None:
    project = tree_of(PROJECTS / "liquibase")
    (unit,) = detect(project, Settings())
    assert (unit.system, unit.root, unit.migrations_dir) == ("liquibase", "", "db/changelog")
    assert [migration.id for migration in by_name("liquibase").history(unit, project)] == [
        "db/changelog/001_customers.yaml::1::shop",
        "db/changelog/sql/002_nickname.sql::2::shop",
    ]


def test_includes_are_followed_where_they_stand() -> None:
    files = {
        "db/root.xml": XML.format(
            SET.format(1, "") + '<include file="parts/b.yaml" relativeToChangelogFile="true"/>'
            + '<includeAll path="db/all/"/>' + SET.format(9, "")
        ),
        "db/parts/b.yaml": "databaseChangeLog:\n- changeSet:\n    id: 2\n    author: b # me\n- include:\n"
        "    file: c.json\n    relativeToChangelogFile: true\n",
        "db/parts/c.json": json.dumps({"databaseChangeLog": [{"changeSet": {"id": 3, "author": "c"}}]}),
        "db/all/z.sql": "--liquibase formatted sql\n--changeset d:8\nselect 1;\n",
        "db/all/a.sql": "select 1;\n",
        "db/all/notes.md": "",
    }  # fmt: skip
    assert rows(files) == [
        "db/root.xml::1::a", "db/parts/b.yaml::2::b", "db/parts/c.json::3::c",
        "db/all/a.sql::raw::includeAll", "db/all/z.sql::8::d", "db/root.xml::9::a",
    ]  # fmt: skip


def test_a_circle_of_includes_ends() -> None:
    assert len(rows({"db/root.xml": XML.format('<include file="db/root.xml"/>' + SET.format(1, ""))})) < 30


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('--changeset "some one":"an id" labels:x\n', "x.sql::an id::some one"),
        ("-- changeset me:1 splitStatements:false logicalFilePath:y.sql\n", "y.sql::1::me"),
        ("--CHANGESET me:raw-2 runOnChange:true\n", "x.sql::raw-2::me"),
    ],
)
def test_formatted_sql_names_its_change_sets(text: str, expected: str) -> None:
    assert rows({"x.sql": f"-- liquibase formatted sql\n\n{text}select 1;\n"}, "x.sql") == [expected]


def test_a_logical_path_and_the_class_path_are_what_is_recorded() -> None:
    text = '<databaseChangeLog logicalFilePath="classpath:/db/old.xml">' + SET.format(1, "") + "</databaseChangeLog>"
    assert rows({"src/main/resources/db/root.xml": text}) == ["db/old.xml::1::a"]


@pytest.mark.parametrize(
    ("attributes", "properties", "runs"),
    [
        ('dbms="h2"', "", False), ('dbms="!h2"', "", True), ('dbms="postgresql, h2"', "", True),
        ('dbms="!postgresql"', "", False), ('context="test"', "", True),
        ('context="test"', "contexts=prod\n", False), ('context="prod,test"', "contexts=prod\n", True),
    ],
)  # fmt: skip
def test_what_is_meant_for_others_is_not_required(attributes: str, properties: str, runs: bool) -> None:
    files = {
        "liquibase.properties": PROPERTIES + properties,
        "db/root.xml": XML.format(SET.format(0, "") + SET.format(1, attributes)),
    }
    (unit,) = detect(tree(files), Settings())
    assert ("db/root.xml::1::a" in {m.id for m in by_name("liquibase").history(unit, tree(files))}) is runs


def test_a_spring_boot_program_has_its_changelog_in_the_resources() -> None:
    files = {
        "app/build.gradle": "implementation 'org.liquibase:liquibase-core'\n",
        "app/src/main/resources/application.yml": "spring:\n  liquibase:\n    change-log: classpath:db/root.xml\n    contexts: prod\n",
        "app/src/main/resources/db/root.xml": XML.format(SET.format(1, "")),
    }
    (unit,) = detect(tree(files), Settings())
    assert (unit.root, unit.migrations_dir) == ("app", "app/src/main/resources/db")
    command = by_name("liquibase").apply(unit, ())
    assert isinstance(command, Command)
    (text,) = command.files.values()
    assert "contexts=prod\n" in text
    assert "liquibase.searchPath={checkout}/app,{checkout}/app/src/main/resources\n" in text


BEAN = """\
@Bean fun liquibase(source: DataSource) = SpringLiquibase().apply {
  changeLog = "classpath:db/changelog/schema.xml"
  defaultSchema = "shop"
}
"""


def test_the_programs_own_code_names_the_changelog_of_another_module_and_its_schema() -> None:
    files = {
        "app/build.gradle": "implementation 'org.liquibase:liquibase-core'\n",
        "app/src/main/kotlin/shop/LiquibaseConfiguration.kt": BEAN,
        "data/build.gradle": "plugins {}\n",
        "data/src/main/resources/db/changelog/schema.xml": XML.format(SET.format(1, "")),
    }
    (unit,) = detect(tree(files), Settings())
    assert (unit.root, unit.migrations_dir) == ("data", "data/src/main/resources/db/changelog")
    assert [m.id for m in by_name("liquibase").history(unit, tree(files))] == ["db/changelog/schema.xml::1::a"]
    kept, command = by_name("liquibase").bookkeeping, by_name("liquibase").apply(unit, ())
    assert kept and kept(unit).schema == "shop"
    assert isinstance(command, Command) and "defaultSchemaName=shop\n" in next(iter(command.files.values()))


def test_where_nothing_names_a_changelog_it_is_the_one_that_no_other_includes() -> None:
    resources = "src/main/resources"
    files = {
        "pom.xml": "<artifactId>quarkus-liquibase</artifactId>",
        f"{resources}/db/changeLog.xml": XML.format('<include file="db/parts/one.xml"/>'),
        f"{resources}/db/parts/one.xml": XML.format(SET.format(1, "")),
    }
    (unit,) = detect(tree(files), Settings())
    assert (unit.migrations_dir, unit.options["changelog"]) == (f"{resources}/db", "db/changeLog.xml")
    two = {**files, f"{resources}/db/other.xml": XML.format(SET.format(2, ""))}
    assert [unit.options["changelog"] for unit in detect(tree(two), Settings())] == ["db/changeLog.xml"]
    unclear = {path.replace("changeLog", "first"): text for path, text in two.items()}
    assert detect(tree(unclear), Settings()) == []


def test_a_library_without_a_changelog_is_no_unit() -> None:
    assert detect(tree({"pom.xml": "<artifactId>liquibase-core</artifactId>"}), Settings()) == []


def test_a_changelog_that_grows_is_no_edit_and_a_changed_set_is_one() -> None:
    def project(*sets: str) -> dict[str, str]:
        return {"liquibase.properties": PROPERTIES, "db/root.xml": XML.format("".join(sets))}

    one, two = SET.format(1, ""), SET.format(2, 'runOnChange="true"')
    before, grown = tree(project(one, two)), tree(project(one, two, SET.format(3, "")))
    (unit,) = detect(before, Settings())
    work = work_for(unit, grown, before, changes(before, grown))
    assert ([m.id for m in work.pushed], work.edits) == (["db/root.xml::3::a"], ())
    edited = tree(project(one.replace("select 1", "select 2"), two.replace("select 1", "select 2")))
    work = work_for(unit, edited, before, changes(before, edited))
    assert [(edit.id, edit.what) for edit in work.edits] == [("db/root.xml::1::a", "edited")]
    assert [m.id for m in work.pushed] == ["db/root.xml::2::a"]


def test_an_edited_file_that_a_change_reads_is_an_edit_of_its_change_set() -> None:
    change = '<changeSet id="1" author="a"><sqlFile path="view.sql" relativeToChangelogFile="true"/></changeSet>'
    files = {"liquibase.properties": PROPERTIES, "db/root.xml": XML.format(change), "db/view.sql": "select 1"}
    before, after = tree(files), tree({**files, "db/view.sql": "select 2"})
    (unit,) = detect(before, Settings())
    assert [edit.id for edit in work_for(unit, after, before, changes(before, after)).edits] == ["db/root.xml::1::a"]


def test_the_address_is_on_the_command_line_and_the_password_in_our_own_defaults_file() -> None:
    properties = PROPERTIES + "url=jdbc:postgresql://prod/x\npassword=canary\nliquibase.parameter.schemaName=shop\n"
    (unit,) = detect(tree({"liquibase.properties": properties, "db/root.xml": XML.format(SET.format(1, ""))}), Settings())
    command = by_name("liquibase").apply(unit, ())
    assert isinstance(command, Command)
    assert "--url={jdbc_url}" in command.argv and "password" not in " ".join(command.argv)
    (text,) = command.files.values()
    assert "password={password}\n" in text and "canary" not in text and "prod" not in text
    assert "parameter.schemaName=shop\n" in text


def test_files_that_changes_read_from_the_class_path_are_found_by_the_command_line() -> None:
    change = '<changeSet id="1" author="a"><sqlFile path="classpath:db/sql/view.sql"/></changeSet>'
    files = {
        "pom.xml": "<artifactId>liquibase-core</artifactId>",
        "src/main/resources/db/changelog.xml": XML.format(change),
        "src/main/resources/db/sql/view.sql": "select 1",
    }
    (unit,) = detect(tree(files), Settings())
    command = by_name("liquibase").apply(unit, ())
    assert isinstance(command, Command)
    assert command.links == {"classpath:db": "{checkout}/src/main/resources/db"}
    assert next(iter(command.files.values())).splitlines()[-1].endswith(",{files}")


def test_properties_of_the_driver_are_refused() -> None:
    properties = PROPERTIES + "driverPropertiesFile=tunnel.properties\n"
    (unit,) = detect(tree({"liquibase.properties": properties, "db/root.xml": XML.format(SET.format(1, ""))}), Settings())
    with pytest.raises(UsageError, match="driverPropertiesFile"):
        by_name("liquibase").apply(unit, ())


def test_postgres_words_are_read_from_what_liquibase_prints() -> None:
    error = explain(
        "Unexpected error running Liquibase: Migration failed for changeset db/x.sql::2::some one:\n"
        '     Reason: liquibase.exception.DatabaseException: ERROR: could not create unique index "k"\n'
        "  Detail: Key (email)=(1) is duplicated. [Failed SQL: (0) create unique index k\n on customers(email)]\n"
    )
    assert error
    assert error.message == 'could not create unique index "k"'
    assert error.detail == "Key (email)=(1) is duplicated."
    assert explain("Unexpected error running Liquibase: Validation Failed") is None
