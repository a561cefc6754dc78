"""Hibernate alone: only where nothing else migrates and Hibernate is told to change the schema."""

from __future__ import annotations

import pytest

from neon_hooks.plan import Command
from neon_hooks.settings import Settings
from neon_hooks.systems import by_name, detect, work_for
from tests.fix_systems import PROJECTS, changes, tree, tree_of

POM = "<artifactId>spring-boot-starter-data-jpa</artifactId><artifactId>postgresql</artifactId>"
ENTITY = "package shop;\n\n@Entity\nclass Customer {}\n"
FILES = {
    "pom.xml": POM,
    "src/main/resources/application.yml": "spring:\n  jpa:\n    hibernate:\n      ddl-auto: update\n",
    "src/main/java/shop/Customer.java": ENTITY,
    "src/main/java/shop/Service.java": "class Service {}\n",
}


def test_the_example_is_a_unit_whose_entities_are_its_migrations() -> None:
    project = tree_of(PROJECTS / "hibernate")
    (unit,) = detect(project, Settings())
    assert (unit.system, unit.migrations_dir, unit.options["ddl_auto"]) == ("hibernate", "src/main/java", "update")
    assert [migration.id for migration in by_name("hibernate").history(unit, project)] == ["shop.Customer"]


@pytest.mark.parametrize(
    "change",
    [
        {"pom.xml": POM + "<artifactId>flyway-core</artifactId>"},
        {"pom.xml": POM.replace("postgresql", "h2")},
        {"src/main/resources/application.yml": "spring:\n  jpa:\n    hibernate:\n      ddl-auto: validate\n"},
        {"src/main/resources/application.yml": ""},
        {"src/main/java/shop/Customer.java": "class Customer {}\n"},
    ],
    ids=["Flyway migrates", "another database", "only validated", "nothing is said", "no entity"],
)
def test_where_hibernate_does_not_change_the_schema_of_a_postgres_there_is_no_unit(change: dict[str, str]) -> None:
    assert [unit for unit in detect(tree({**FILES, **change}), Settings()) if unit.system == "hibernate"] == []


def test_an_edited_entity_is_pushed_and_is_no_edit_of_history() -> None:
    before, after = tree(FILES), tree({**FILES, "src/main/java/shop/Customer.java": ENTITY + "// more\n"})
    (unit,) = detect(after, Settings())
    work = work_for(unit, after, before, changes(before, after))
    assert ([migration.id for migration in work.pushed], work.edits) == (["shop.Customer"], ())


def test_spring_boots_names_are_used_where_spring_boot_is() -> None:
    (unit,) = detect(tree(FILES), Settings())
    command = by_name("hibernate").apply(unit, ())
    assert isinstance(command, Command)
    assert command.environment["NEON_HOOKS_PHYSICAL"].endswith("CamelCaseToUnderscoresNamingStrategy")
    assert command.environment["NEON_HOOKS_JDBC_URL"] == "{jdbc_url}"
