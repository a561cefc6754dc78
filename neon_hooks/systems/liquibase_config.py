"""Where Liquibase is used in a repository: its defaults files, Spring Boot, a program's own code. Pure.

Facts: https://docs.liquibase.com (defaults file), https://docs.spring.io/spring-boot (spring.liquibase.*),
the class liquibase.integration.spring.SpringLiquibase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from neon_hooks.systems.liquibase_changelog import Changelog, normal
from neon_hooks.systems.places import is_foreign, up_from
from neon_hooks.systems.yamltext import documents, value_at
from neon_hooks.tree import Tree, join, parent

PROPERTIES = re.compile(r"^[ \t]*([\w.-]+)[ \t]*[=:][ \t]*(.*?)[ \t]*$", re.MULTILINE)
SPRING_DEFAULT = "db/changelog/db.changelog-master.yaml"
RESOURCES = "src/main/resources"
SOURCES = ("src/main/java", "src/main/kotlin")
BUILD_FILES = ("pom.xml", "build.gradle", "build.gradle.kts")
MASTER = re.compile(r"(?:db\.)?(?:changelog|changeset|databasechangelog)?[._-]?(?:master|root|main|index)?"
                    r"[._-]?(?:changelog)?\.(?:xml|ya?ml|json)", re.IGNORECASE)  # fmt: skip
# Only files that are called so are read: a module has thousands of others.
CODE = re.compile(r"\w*(?:liquibase|database|datasource|persistence|migration)\w*\.(?:java|kt)", re.IGNORECASE)
CHANGELOG_PLACE = re.compile(r"changelog|changeset|liquibase|migration|/db/", re.IGNORECASE)
CHANGELOG_FILE = (".xml", ".yaml", ".yml", ".json")
BEAN = re.compile(r"""(?:\bsetChangeLog\(|\bchangeLog\s*=)\s*"([^"$]+)\"""")
BEAN_SCHEMA = re.compile(r"""(?:\bsetDefaultSchema\(|\bdefaultSchema\s*=)\s*"(\w+)\"""")


@dataclass(frozen=True)
class Place:
    """``settings`` have Liquibase's names in lower case, without dashes; "changelogfile" is one of them."""

    root: str
    settings: Mapping[str, str]
    evidence: str


def places(tree: Tree) -> Iterator[Place]:
    """The defaults files, then each module that is built with Liquibase and has none."""
    known = set()
    for path in tree.named("liquibase.properties"):
        if not is_foreign(path):
            root = parent(path).removesuffix(RESOURCES).rstrip("/")
            known.add(root)
            yield Place(root, _properties(tree.text(path)), path)
    builds = (path for name in BUILD_FILES for path in tree.named(name) if not is_foreign(path))
    for build in builds:
        root = parent(build)
        if root not in known and _is_built_with_liquibase(tree, root):
            yield from _of_module(tree, root, build)


def _of_module(tree: Tree, root: str, build: str) -> Iterator[Place]:
    """What Spring is told, else what the program's code says, else the one changelog that is there."""
    settings = _spring(tree, root)
    stated = settings.get("changelogfile", "")
    found = [Place(root, {"changelogfile": SPRING_DEFAULT, **settings}, build)]
    if not stated and not _in_resources(tree, root, SPRING_DEFAULT):
        found = list(_in_code(tree, root)) or list(_only_changelog(tree, root, settings, build))
    for place in found:
        yield Place(_home(tree, place), place.settings, place.evidence)


def _home(tree: Tree, place: Place) -> str:
    """The module that has the changelog in its resources: on the class path it is one with the program."""
    name = normal(place.settings["changelogfile"])
    if _in_resources(tree, place.root, name) or join(place.root, name) in tree:
        return place.root
    homes = [
        path.removesuffix(f"{RESOURCES}/{name}").rstrip("/")
        for path in tree.named(name.rpartition("/")[2])
        if f"/{path}".endswith(f"/{RESOURCES}/{name}") and not is_foreign(path)
    ]
    return homes[0] if len(homes) == 1 else place.root


def _in_resources(tree: Tree, root: str, name: str) -> bool:
    return join(root, f"{RESOURCES}/{name}") in tree


def _is_built_with_liquibase(tree: Tree, root: str) -> bool:
    builds = (
        join(place, name) for place in up_from(root) for name in (*BUILD_FILES, "gradle/libs.versions.toml")
    )
    return any("liquibase" in tree.text(path).lower() for path in builds)


def _in_code(tree: Tree, root: str) -> Iterator[Place]:
    """Beans of the class SpringLiquibase, in files that are named after what they do."""
    for source in SOURCES:
        for path in tree.below(join(root, source)):
            if CODE.fullmatch(path.rpartition("/")[2]) and "SpringLiquibase" in tree.text(path):
                text = tree.text(path)
                named, schema = BEAN.search(text), BEAN_SCHEMA.search(text)
                if named:
                    settings = {"defaultschema": schema[1]} if schema else {}
                    yield Place(root, {"changelogfile": normal(named[1]), **settings}, path)


def _only_changelog(
    tree: Tree, root: str, settings: Mapping[str, str], build: str
) -> Iterator[Place]:
    """The changelog that no other one includes; of several the one that is called a master."""
    resources = join(root, RESOURCES)
    names = [
        path.removeprefix(f"{resources}/")
        for path in tree.below(resources)
        if path.endswith(CHANGELOG_FILE) and CHANGELOG_PLACE.search(path)
        and "databaseChangeLog" in tree.text(path)
    ]  # fmt: skip
    included: set[str] = set()
    for name in names:
        changelog = Changelog(tree, (resources, root))
        list(changelog.change_sets(name))
        included |= set(changelog.files) - {join(resources, name)}
    tops = [name for name in names if join(resources, name) not in included]
    masters = [name for name in tops if MASTER.fullmatch(name.rpartition("/")[2])]
    chosen = tops if len(tops) == 1 else masters
    if len(chosen) == 1:
        yield Place(root, {**settings, "changelogfile": chosen[0]}, build)


def search_path(settings: Mapping[str, str], root: str) -> Sequence[str]:
    found = settings.get("searchpath", "") or settings.get("liquibase.searchpath", "")
    return [join(root, each.strip()) for each in found.split(",") if each.strip()]


def is_of_another_database(settings: Mapping[str, str]) -> bool:
    url = settings.get("url", "")
    return url.startswith("jdbc:") and not url.startswith("jdbc:postgresql")


def _properties(text: str) -> Mapping[str, str]:
    """Names in one spelling: changeLogFile, changelog-file and liquibase.command.changelogFile are one."""
    found = {}
    for name, value in PROPERTIES.findall(text):
        key = name.lower().replace("-", "").removeprefix("liquibase.").removeprefix("command.")
        found[f"parameter.{name.rpartition('.')[2]}" if key.startswith("parameter.") else key] = value
    return found


def _spring(tree: Tree, root: str) -> Mapping[str, str]:
    """spring.liquibase.* of the program at ``root``."""
    found: dict[str, str] = {}
    for name in ("application", "application-prod", "application-production"):
        base = join(root, f"{RESOURCES}/{name}")
        pairs = [(key, value) for key, value in PROPERTIES.findall(tree.text(f"{base}.properties"))]
        for suffix in (".yml", ".yaml"):
            for document in documents(tree.text(base + suffix)):
                section = value_at(document, "spring.liquibase")
                if isinstance(section, dict):
                    pairs += [(f"spring.liquibase.{key}", str(value)) for key, value in section.items()]
        for key, value in pairs:
            if key.startswith("spring.liquibase.") and value and "${" not in value:
                found[key.removeprefix("spring.liquibase.").replace("-", "").lower()] = value
    if "changelog" in found:
        found["changelogfile"] = found.pop("changelog")
    return found
