"""Java's entities beside the migrations of Flyway and of Liquibase: compared by the project's own Hibernate."""

from __future__ import annotations

from collections.abc import Mapping

from tests.fix_gate import Pushed, Team
from tests.fix_jvm import jvm_program, maven_environ, maven_offline
from tests.fix_systems import PROJECTS
from tests.gate.hibernate_test import CUSTOMER, ROWS, TABLE, entity
from tests.gate.stories_rails_jvm import LIQUIBASE

NICKNAME = '@Column(columnDefinition = "text") String nickname;'
COUNTRY = NICKNAME + '\n\n    @Column(columnDefinition = "text") String country;'
V1 = {"sql/V1__customers.sql": TABLE + "\nALTER TABLE customers ADD COLUMN nickname text;\n"}
COLUMN = "ALTER TABLE customers ADD COLUMN country text;\n"
V2 = {"sql/V2__country.sql": COLUMN}
FLYWAY = {"flyway.toml": (PROJECTS / "flyway/flyway.toml").read_text(), **V1}
CHANGELOG = {
    "liquibase.properties": "changeLogFile=db/root.sql\n",
    "db/root.sql": "--liquibase formatted sql\n\n--changeset shop:1\n" + V1["sql/V1__customers.sql"],
}


def java(team: Team, files: Mapping[str, str], program: str, *argv: str) -> None:
    """A Maven module with entities, whose migrations ``program`` has deployed."""
    maven_offline("hibernate")
    team.environ |= {**maven_environ(), "NEON_HOOKS_TRIALS_DRIFT": "true", "NEON_HOOKS_DEADLINE": "240s"}
    home = jvm_program(program)
    team.environ["PATH"] = f"{home}:{team.environment()['PATH']}"
    pom = (PROJECTS / "hibernate/pom.xml").read_text()
    team.deployed({"pom.xml": pom, CUSTOMER: entity(NICKNAME), ".gitignore": "target/\n", **files})
    main = team.emulator.main
    jdbc = f"jdbc:postgresql://{main.host}:{main.port}/{main.database}"
    team.run([word.format(jdbc=jdbc, user=main.user, password=main.password) for word in (f"{home}/{program}", *argv)])
    team.query(ROWS)


def test_liquibase_with_a_snapshot_of_the_schema_that_is_wanted(team: Team) -> None:
    LIQUIBASE.start(team)
    team.environ["NEON_HOOKS_TRIALS_DRIFT"] = "true"
    main, reference = team.emulator.main, "offline:postgresql?snapshot=db/wanted.json"
    login = (f"--url=jdbc:postgresql://{main.host}:{main.port}/{main.database}", f"--username={main.user}", f"--password={main.password}")
    team.run((f"{jvm_program('liquibase')}/liquibase", *login, "snapshot", "--snapshot-format=json", "--output-file=db/wanted.json"))
    properties = (PROJECTS / "liquibase/liquibase.properties").read_text()
    team.deployed({"liquibase.properties": f"{properties}referenceUrl={reference}\n"})
    team.query("create table by_hand (id int)")
    pushed = team.push(dict([LIQUIBASE.good]))
    assert pushed.exit_code == 1 and about(pushed) == [("missing-migration", "error"), ("models-drift", "note")], pushed.said
    assert pushed.errors[0]["quote"] == "Unexpected Column(s): public.customers.country"


def about(pushed: Pushed) -> list[tuple[str, str]]:
    rules = ("missing-migration", "models-drift", "models-not-compared")
    return [(f["rule"], f["severity"]) for f in pushed.document["findings"] if f["rule"] in rules]


def test_flyway_with_entities(team: Team) -> None:
    """What main lacks already is a note: an old entity whose table nobody has made."""
    java(team, FLYWAY, "flyway", "-url={jdbc}", "-user={user}", "-password={password}", "migrate")
    old = entity(NICKNAME, 'name = "nobody"').replace("class Customer", "class Old")
    team.deployed({CUSTOMER.replace("Customer", "Old"): old})
    pushed = team.push({CUSTOMER: entity(COUNTRY)})
    assert pushed.exit_code == 1 and about(pushed) == [("missing-migration", "error"), ("models-drift", "note")], pushed.said
    (finding,) = pushed.errors
    assert (finding["path"], finding["quote"]) == (CUSTOMER, "alter table if exists customers add column country text")
    (note,) = (f for f in pushed.document["findings"] if f["rule"] == "models-drift")
    assert note["quote"].startswith("create table nobody (")
    assert "the models need a migration: the comparison finds 1 difference [" in pushed.said
    mended = team.push(V2)
    assert mended.passed and about(mended) == [("models-drift", "note")], mended.said
    assert team.query("select from information_schema.columns where column_name = 'country'") == []
    team.assert_main_is_untouched()


def test_liquibase_with_entities_and_a_column_of_another_type(team: Team) -> None:
    java(team, CHANGELOG, "liquibase", "--url={jdbc}", "--username={user}", "--password={password}", "update")
    wrong = "\n--changeset shop:2\nALTER TABLE customers ADD COLUMN country int;\n--rollback SELECT 1;\n"
    pushed = team.push({CUSTOMER: entity(COUNTRY), "db/root.sql": CHANGELOG["db/root.sql"] + wrong})
    assert pushed.exit_code == 1 and about(pushed) == [("missing-migration", "error")], pushed.said
    assert "wrong column type encountered in column [country] in table [customers]" in pushed.errors[0]["quote"]
    assert "found [int4 (Types#INTEGER)], but expecting [text" in pushed.errors[0]["quote"]
