"""Where models are compared with what migrations make: the file that a tool writes, entities, a reference of Liquibase."""

from __future__ import annotations

import pytest

from neon_hooks.plan import Comparison
from neon_hooks.settings import Settings
from neon_hooks.systems import comparison_of, detect, work_for
from tests.fix_systems import PROJECTS, changes, tree, tree_of

FILES = {
    name: {path: (PROJECTS / name / path).read_text() for path in tree_of(PROJECTS / name).oids}
    for name in ("activerecord", "diesel", "flyway", "liquibase")
}
RAILS = {**FILES["activerecord"], "db/schema.rb": "ActiveRecord::Schema.define(version: 1) do\nend\n"}
POM = "<artifactId>hibernate-core</artifactId> <artifactId>postgresql</artifactId>"
JAVA = {"pom.xml": POM, "src/main/java/shop/Customer.java": "@Entity\nclass Customer {}\n"}


def comparison(files: dict[str, str]) -> Comparison | None:
    found = tree(files)
    (unit,) = detect(found, Settings())
    return comparison_of(unit, found)


def with_reference(url: str) -> dict[str, str]:
    properties = FILES["liquibase"]["liquibase.properties"]
    return {**FILES["liquibase"], "liquibase.properties": f"{properties}referenceUrl={url}\n"}


@pytest.mark.parametrize(
    "files",
    [
        FILES["activerecord"],  # no file is kept
        {**FILES["diesel"], "diesel.toml": ""},
        {**FILES["diesel"], "diesel.toml": "[print_schema]\nfile = \"src/other.rs\"\n"},
        {**FILES["diesel"], "diesel.toml": "print_schema = 1\n"},
        {**FILES["diesel"], "diesel.toml": "not toml"},
        FILES["flyway"],
        {**FILES["flyway"], "pom.xml": POM},  # no entities
        {**FILES["flyway"], **JAVA, "pom.xml": "<artifactId>jooq</artifactId>"},
        FILES["liquibase"],
        with_reference("jdbc:postgresql://production.example.com/shop"),  # a database is nothing that we connect to
    ],
)  # fmt: skip
def test_where_there_is_nothing_to_compare_with(files: dict[str, str]) -> None:
    assert comparison(files) is None


def test_what_is_started() -> None:
    rails = comparison(RAILS)
    assert rails and rails.by_database and rails.command.argv == ("rake", "-r", "{files}/neon_hooks_schema.rb", "neon_hooks_schema")
    assert rails.command.environment["NEON_HOOKS_SCHEMA"] == "{checkout}/db/schema.rb"
    diesel = comparison(FILES["diesel"])
    assert diesel and diesel.command.environment["NEON_HOOKS_SCHEMA"] == "{checkout}/src/schema.rs"
    spring = comparison({**FILES["flyway"], **JAVA, "pom.xml": POM + "<artifactId>spring-boot</artifactId>"})
    assert spring and spring.builds and "NEON_HOOKS_PHYSICAL" in spring.command.environment
    plain = comparison({**FILES["flyway"], **JAVA})
    assert plain and "NEON_HOOKS_PHYSICAL" not in plain.command.environment
    reference = comparison(with_reference("hibernate:spring:shop?dialect=org.hibernate.dialect.PostgreSQLDialect"))
    assert reference and "diff" in reference.command.argv and not any("production" in word for word in reference.command.argv)


@pytest.mark.parametrize(
    ("before", "path"),
    [(RAILS, "db/schema.rb"), (FILES["diesel"], "src/schema.rs"), ({**FILES["flyway"], **JAVA}, "src/main/java/shop/Customer.java")],
)  # fmt: skip
def test_a_push_that_changes_nothing_else_is_one_of_models(before: dict[str, str], path: str) -> None:
    old, new = tree(before), tree({**before, path: before[path] + "\n// more\n"})
    (unit,) = detect(new, Settings())
    assert work_for(unit, new, old, changes(old, new)).models == (path,)
