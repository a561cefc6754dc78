"""Hibernate without a migration tool: what its entities would do, tried with hbm2ddl.auto=update.

The program that tries it is in entities.py. There is nothing to compare afterwards: what runs is what makes schema
and entities agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Command, Migration, Unit
from neon_hooks.systems import entities
from neon_hooks.systems.base import History, System
from neon_hooks.systems.entities import HIBERNATE, MAPPED, NAMING, SOURCES
from neon_hooks.systems.places import is_foreign, up_from
from neon_hooks.systems.yamltext import documents, value_at
from neon_hooks.tree import Tree, join, parent

MIGRATED = re.compile(r"flyway|liquibase", re.IGNORECASE)
AUTO = re.compile(r"""hbm2ddl\.auto["']?\s*(?:[=:>]|value\s*=)\s*["']?\s*([\w-]+)""")
RESOURCES = "src/main/resources"
FILES = ("hibernate.properties", "hibernate.cfg.xml", "META-INF/persistence.xml")
CHANGES = frozenset({"update", "create", "create-drop", "create-only", "drop-and-create"})
ERROR = re.compile(r"(?:via JDBC \[|PSQLException: )(?:ERROR: )?(?P<message>[^\n\]]*)")
DETAIL = re.compile(r"^\s*Detail: ([^\n\]]*)", re.MULTILINE)


def detect(tree: Tree) -> Iterable[Unit]:
    """Modules of Maven with entities, Hibernate told to change the schema, and no migration tool anywhere."""
    for build in tree.named("pom.xml"):
        root, text = parent(build), tree.text(build)
        if is_foreign(build) or not HIBERNATE.search(text) or "postgresql" not in text.lower():
            continue
        builds = (tree.text(join(place, "pom.xml")) for place in up_from(root))
        auto, evidence = _auto(tree, root)
        if auto in CHANGES and not any(map(MIGRATED.search, builds)):
            unit = _unit(tree, root, auto, (build, evidence))
            if history(unit, tree):
                yield unit


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    auto, evidence = _auto(tree, root)
    return _unit(tree, root, auto, (evidence or "[[systems]] in the settings",))


def _unit(tree: Tree, root: str, auto: str, evidence: tuple[str, ...]) -> Unit:
    sources = next((path for path in (join(root, each) for each in SOURCES) if tree.below(path)), root)
    return Unit("hibernate", root, sources, evidence, {"ddl_auto": auto, **entities.naming(tree, root)})


def _auto(tree: Tree, root: str) -> tuple[str, str]:
    """(what Hibernate does to the schema when the program starts, the file that says it)."""
    base = join(root, RESOURCES)
    for path in [
        path for path in tree.below(base) if re.search(r"/application[\w-]*\.(?:ya?ml|properties)$", path)
    ]:
        text = tree.text(path)
        found = re.search(r"^\s*spring\.jpa\.hibernate\.ddl-auto\s*[=:]\s*([\w-]+)", text, re.MULTILINE)
        if found := found or AUTO.search(text):
            return found[1], path
        if path.endswith((".yml", ".yaml")):
            for document in documents(text):
                value = value_at(document, "spring.jpa.hibernate.ddl-auto")
                if isinstance(value, str) and value:
                    return value, path
    for name in FILES:
        if found := AUTO.search(tree.text(join(base, name))):
            return found[1], join(base, name)
    return "", ""


def history(unit: Unit, tree: Tree) -> History:
    """Each mapped class: it may be edited, and is tried whenever it is."""
    found = []
    for source in SOURCES:
        base = join(unit.root, source)
        for path in tree.below(base):
            if path.endswith((".java", ".kt")) and MAPPED.search(tree.text(path)):
                name = path.removeprefix(f"{base}/").rpartition(".")[0].replace("/", ".")
                found.append(Migration(name, path, tree.oids[path], repeatable=True))
    return tuple(found)


def apply(unit: Unit, pushed: History) -> Command:
    return entities.command(entities.UPDATE, {kind: unit.options[kind] for kind in NAMING if kind in unit.options})


def explain(output: str) -> DatabaseError | None:
    found = ERROR.search(output)
    if not found:
        return None
    detail = DETAIL.search(output, found.end())
    return DatabaseError("", found["message"].strip(), detail[1].strip() if detail else "")


SYSTEM = System(
    name="hibernate",
    detect=detect,
    history=history,
    apply=apply,
    at=at,
    default_dir="src/main/java",
    # Nothing is recorded: what runs is our own program, which knows no other address.
    applied=lambda rows, history: frozenset(),
    unknown=lambda rows, history: frozenset(),
    explain=explain,
)
