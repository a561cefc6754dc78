"""Flyway: where it is used, the order of versions, checksums, and names that it passes over."""

from __future__ import annotations

import pytest

from neon_hooks.errors import UsageError
from neon_hooks.plan import Command, Migration, Unit
from neon_hooks.settings import Settings
from neon_hooks.systems import by_name, detect, work_for
from neon_hooks.systems.flyway import BASELINE, applied, explain, prove, unknown
from neon_hooks.systems.flyway_replay import checksum
from neon_hooks.tree import Tree
from tests.fix_systems import PROJECTS, changes, tree, tree_of

POM = "<project><artifactId>flyway-core</artifactId><artifactId>postgresql</artifactId></project>"
PLUGIN = "<plugin><artifactId>flyway-maven-plugin</artifactId>{}</plugin>"
PLACE = "src/main/resources/db/migration"


def unit_of(project: Tree) -> Unit:
    (unit,) = [each for each in detect(project, Settings()) if each.system == "flyway"]
    return unit


def command_of(project: Tree, pushed: tuple[Migration, ...] = ()) -> Command:
    command = by_name("flyway").apply(unit_of(project), pushed)
    assert isinstance(command, Command)
    return command


@pytest.mark.parametrize(("project", "tool", "place"), [("flyway", "flyway", "sql"), ("flyway_maven", "mvn", PLACE)])
def test_the_examples_are_one_unit_each(project: str, tool: str, place: str) -> None:
    unit = unit_of(tree_of(PROJECTS / project))
    assert (unit.root, unit.migrations_dir, unit.options["tool"]) == ("", place, tool)


def test_versions_are_compared_by_their_numbers_and_what_is_repeatable_comes_last() -> None:
    names = ("V1.10__j.sql", "V1_9__i.sql", "V1__a.sql", "V1_1__b.sql", "V002__c.sql", "V20260101120000__z.sql",
             "sub/V1.2__n.sql", "R__views.sql", "R__a.sql", "U1__undo.sql", "B5__base.sql", "afterMigrate.sql")  # fmt: skip
    project = tree({"pom.xml": POM, **{f"{PLACE}/{name}": "" for name in names}})
    found = [migration.id for migration in by_name("flyway").history(unit_of(project), project)]
    assert found == ["1", "1.1", "1.2", "1.9", "1.10", "002", "20260101120000", "R__a", "R__views"]


@pytest.mark.parametrize("name", ["V1_50_FileResource_Remove_Resource.sql", "v2__lower.sql", "V3_x.sql", "R_view.sql"])
def test_a_name_that_flyway_passes_over_is_never_applied(name: str) -> None:
    project = tree({"pom.xml": POM, f"{PLACE}/V1__a.sql": "", f"{PLACE}/{name}": ""})
    history = by_name("flyway").history(unit_of(project), project)
    misnamed = [migration for migration in history if migration.id == name]
    proof = prove(frozenset(), frozenset({"1"}), history, misnamed)
    assert (proof.missing, proof.unseen) == (frozenset(), {name})
    assert prove(frozenset(), frozenset({"1"}), history, ()).unseen == frozenset()


@pytest.mark.parametrize("fixed", [f"{PLACE}/V1_50__drop_column.sql", ""])
def test_a_name_that_flyway_passes_over_may_be_corrected_or_deleted(fixed: str) -> None:
    base = {"pom.xml": POM, f"{PLACE}/V1__a.sql": ""}
    before = tree({**base, f"{PLACE}/V1_50_drop_column.sql": "select 1"})
    after = tree({**base, **({fixed: "select 1"} if fixed else {})})
    work = work_for(unit_of(after), after, before, changes(before, after))
    assert work.edits == ()
    assert [migration.id for migration in work.pushed] == (["1.50"] if fixed else [])


def test_spring_boot_alone_runs_the_command_line_with_what_its_configuration_says() -> None:
    yaml = "spring:\n  flyway:\n    baseline-on-migrate: true\n    table: history # old\n    url: jdbc:postgresql://x/y\n"
    project = tree({"pom.xml": POM, "src/main/resources/application.yml": yaml, f"{PLACE}/V1__a.sql": ""})
    command = command_of(project)
    assert command.argv == (
        "flyway", f"-locations=filesystem:{PLACE}", "-baselineOnMigrate=true", "-table=history",
        "-url={jdbc_url}", "-user={user}", "migrate",
    )  # fmt: skip
    kept = by_name("flyway").bookkeeping
    assert kept and kept(unit_of(project)).table == "history"


def test_only_the_location_of_postgres_is_taken_where_there_is_one_for_each_vendor() -> None:
    files = {"pom.xml": POM, f"{PLACE}/h2/V1__a.sql": "create table a();", f"{PLACE}/postgres/V1__a.sql": "create table a();"}
    unit = unit_of(tree(files))
    assert unit.options["locations"] == f"{PLACE}/postgres"


def test_seeds_for_development_are_not_migrations_of_production() -> None:
    seeds = "src/dev/resources/db/migration"
    files = {"pom.xml": POM, f"{seeds}/V1_0_1__users.sql": "", f"{PLACE}/V1__a.sql": ""}
    unit = unit_of(tree(files))
    assert (unit.migrations_dir, unit.options["locations"]) == (PLACE, PLACE)


def test_the_nearest_build_file_of_a_monorepo_is_the_root() -> None:
    files = {"pom.xml": "<project/>", "shop/pom.xml": POM, f"shop/{PLACE}/V1__a.sql": ""}
    assert unit_of(tree(files)).root == "shop"


@pytest.mark.parametrize(
    "files",
    [
        {f"{PLACE}/V1__a.sql": ""},
        {"pom.xml": POM.replace("postgresql", "mysql-connector-j"), f"{PLACE}/V1__a.sql": ""},
        {"pom.xml": POM, f"target/classes/{PLACE}/V1__a.sql": ""},
        {"pom.xml": POM, "src/test/resources/db/migration/V1__a.sql": ""},
        {"Cargo.toml": 'refinery = "0.8"', "migrations/V1__a.sql": ""},
    ],
    ids=["nothing names it", "MySQL", "a build's copy", "a test's", "refinery"],
)
def test_names_alone_make_no_unit(files: dict[str, str]) -> None:
    assert [each for each in detect(tree(files), Settings()) if each.system == "flyway"] == []


def test_java_migrations_are_compiled_first_or_refused() -> None:
    code = "src/main/java/db/migration/V2__Backfill.java"
    with_plugin = tree({"pom.xml": POM + PLUGIN, f"{PLACE}/V1__a.sql": "", code: ""})
    history = by_name("flyway").history(unit_of(with_plugin), with_plugin)
    assert [migration.id for migration in history] == ["1", "2"]
    assert command_of(with_plugin, tuple(history)).argv[:4] == ("mvn", "-B", "compile", "flyway:migrate")
    without = tree({"pom.xml": POM, f"{PLACE}/V1__a.sql": "", code: ""})
    with pytest.raises(UsageError, match="needs a build tool"):
        command_of(without, tuple(history))


def test_an_address_that_may_hide_in_the_drivers_properties_is_refused() -> None:
    conf = "flyway.locations=filesystem:sql\nflyway.jdbcProperties.socketFactory=com.example.Tunnel\n"
    with pytest.raises(UsageError, match="jdbcProperties"):
        command_of(tree({"flyway.conf": conf, "sql/V1__a.sql": ""}))


def test_no_secret_is_on_the_command_line() -> None:
    for name in ("flyway", "flyway_maven"):
        assert "password" not in " ".join(command_of(tree_of(PROJECTS / name)).argv)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"create table a(id int);\n", -1193849269),
        (b"create or replace view v as select 1 as x;\n", 865944825),
        (b"\xef\xbb\xbfcreate table a(id int);\r\n", -1193849269),
        (b"create table p(a text default '${flyway:defaultSchema}');", -312817402),
    ],
)
def test_checksums_are_those_that_flyway_wrote(text: bytes, expected: int) -> None:
    assert checksum(text) == expected


def test_an_edited_repeatable_migration_is_new_and_no_edit() -> None:
    before = tree({"pom.xml": POM, f"{PLACE}/V1__a.sql": "", f"{PLACE}/R__view.sql": "select 1"})
    after = tree({"pom.xml": POM, f"{PLACE}/V1__a.sql": "", f"{PLACE}/R__view.sql": "select 2"})
    work = work_for(unit_of(after), after, before, changes(before, after))
    assert [migration.id for migration in work.pushed] == ["R__view"] and work.edits == ()
    old = f"R__view#{checksum(b'select 1')}"
    assert "R__view" not in applied(frozenset({"1", old}), work.history)
    assert "R__view" in applied(frozenset({"1", f"R__view#{checksum(b'select 2')}"}), work.history)
    assert unknown(frozenset({"1", old}), work.history) == frozenset()


def test_what_is_not_newer_than_a_baseline_counts_as_applied() -> None:
    project = tree({"pom.xml": POM, **{f"{PLACE}/V{n}__x.sql": "" for n in ("1", "2", "2.1")}})
    history = by_name("flyway").history(unit_of(project), project)
    assert applied(frozenset({f"{BASELINE}2"}), history) == {"1", "2"}


def test_postgres_words_are_read_from_what_flyway_and_maven_print() -> None:
    said = (
        "SQL State  : 23505\nError Code : 0\nMessage    : ERROR: could not create unique index \"x\"\n"
        "  Detail: Key (id)=(1) is duplicated.\nLocation   : sql/V2.sql\n"
    )  # fmt: skip
    for output in (said, "".join(f"[ERROR] {line}\n" for line in said.splitlines())):
        error = explain(output)
        assert error
        assert (error.sqlstate, error.message) == ("23505", 'could not create unique index "x"')
        assert error.detail == "Key (id)=(1) is duplicated."
    assert explain("ERROR: Validate failed: Migrations have failed validation") is None
