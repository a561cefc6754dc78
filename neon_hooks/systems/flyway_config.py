"""Where Flyway is used in a repository: its own files, Maven's and Gradle's plugins, Spring Boot.

Facts: https://documentation.red-gate.com/fd (configuration files, locations, the Maven and Gradle
plugins), https://docs.spring.io/spring-boot (spring.flyway.*). Pure.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from neon_hooks.systems.places import is_foreign, up_from
from neon_hooks.systems.sql import is_not_postgres
from neon_hooks.systems.yamltext import documents, value_at
from neon_hooks.tree import Tree, inside, join, parent

VERSIONED = re.compile(r"V\d[\d._]*(?:__.*)?\.sql")
CONVENTION = "db/migration"
OWN_FILES = ("flyway.toml", "flyway.conf", "conf/flyway.toml", "conf/flyway.conf")
BUILD_FILES = ("pom.xml", "build.gradle", "build.gradle.kts")
CATALOGUES = ("gradle/libs.versions.toml", "settings.gradle", "settings.gradle.kts")
GRADLE_PLUGIN = re.compile(r"""org\.flywaydb\.flyway\b|alias\(\s*libs\.plugins\.flyway\w*""")
OTHER_DRIVERS = re.compile(r"mysql|mariadb|mssql|ojdbc|sqlite|clickhouse", re.IGNORECASE)
VENDORS = frozenset("h2 hsqldb derby mysql mariadb sqlite sqlserver mssql oracle db2 cockroachdb".split())
SOURCES = ("src/main/java", "src/main/kotlin", "src/main/groovy")
RESOURCES = "src/main/resources"
# Spring Boot's names for what is no property of Flyway itself, or is ours to say.
NOT_FLYWAYS = frozenset(
    "enabled url user password locations driverClassName checkLocation cleanDisabled".split()
)


@dataclass(frozen=True)
class Place:
    """``tool`` is what is started in ``root``: flyway, mvn or gradle. ``settings`` have Flyway's own names.

    ``stated``: the tool reads them, and the locations, from the project's configuration itself.
    """

    root: str
    tool: str
    locations: tuple[str, ...]
    evidence: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    own_file: str = ""
    stated: bool = False


def places(tree: Tree) -> Iterable[Place]:
    found: dict[str, list[str]] = {}
    for location, paths in _candidates(tree).items():
        root = None if location.rpartition("/")[2].lower() in VENDORS else _root(tree, location)
        if root is not None and not is_not_postgres(tree, paths) and not _is_of_another_driver(tree, root):
            found.setdefault(root, []).append(location)
    for root, locations in sorted(found.items()):
        yield place(tree, root, locations)


def place(tree: Tree, root: str, locations: list[str]) -> Place:
    """What is known about Flyway at ``root``, whose migrations were found at ``locations``."""
    own = next((join(root, name) for name in OWN_FILES if join(root, name) in tree), "")
    build = next((join(root, name) for name in BUILD_FILES if join(root, name) in tree), "")
    tool = "flyway" if own else _plugin(tree, build)
    settings = _own_settings(tree, own) if own else _build_settings(tree, build) if tool != "flyway" else {}
    settings = settings or ({} if own else _spring_settings(tree, root))
    stated = bool(own) or tool != "flyway"
    configured = [path for path in _locations(settings.get("locations", ""), root) if tree.below(path)]
    conventional = [path for path in locations if path.endswith(CONVENTION) or f"{CONVENTION}/" in path]
    # src/dev/resources and the like are on no production's class path.
    production = [path for path in conventional if f"/{RESOURCES}/" in f"/{path}/"]
    chosen = configured or production or conventional or locations
    evidence = (own or build, f"{chosen[0]}/ has {sum(map(_is_versioned, tree.below(chosen[0])))} migrations")
    return Place(root, tool, tuple(chosen), tuple(filter(None, evidence)), settings, own, stated)


def _candidates(tree: Tree) -> Mapping[str, list[str]]:
    """Directories with files that are named as Flyway's are: db/migration as a whole, others one by one."""
    found: dict[str, list[str]] = {}
    for path in tree.paths:
        if path.endswith(".sql") and _is_versioned(path) and not is_foreign(path):
            found.setdefault(_location(path), []).append(path)
    outer = [one for one in found if not any(one != other and inside(one, other) for other in found)]
    return {location: [p for p in tree.below(location) if p.endswith(".sql")] for location in outer}


def _location(path: str) -> str:
    directory = parent(path)
    head, found, tail = f"/{directory}/".partition(f"/{CONVENTION}/")
    if not found:
        return directory
    vendor = tail.split("/")[0].lower()
    whole = f"{head}/{CONVENTION}".strip("/")
    # db/migration/{vendor}: each directory is a location of its own
    return f"{whole}/{tail.split('/')[0]}" if vendor in VENDORS | {"postgresql", "postgres"} else whole


def _is_versioned(path: str) -> bool:
    return bool(VERSIONED.fullmatch(path.rpartition("/")[2]))


def _root(tree: Tree, location: str) -> str | None:
    """The nearest directory whose files speak of Flyway; None when nothing does."""
    nearest: str | None = None
    for directory in up_from(location):
        if any(join(directory, name) in tree for name in OWN_FILES):
            return directory if nearest is None else nearest
        builds = [join(directory, name) for name in BUILD_FILES if join(directory, name) in tree]
        if any("flyway" in tree.text(path).lower() for path in builds):
            return directory if nearest is None else nearest
        if builds and nearest is None:
            nearest = directory
        catalogues = [join(directory, name) for name in CATALOGUES]
        if nearest is not None and any("flyway" in tree.text(path).lower() for path in catalogues):
            return nearest
    return None


def _is_of_another_driver(tree: Tree, root: str) -> bool:
    text = "".join(tree.text(join(root, name)) for name in BUILD_FILES)
    return bool(OTHER_DRIVERS.search(text)) and "postgres" not in text.lower()


def _plugin(tree: Tree, build: str) -> str:
    text = tree.text(build)
    if build.endswith("pom.xml"):
        return "mvn" if "flyway-maven-plugin" in text else "flyway"
    return "gradle" if GRADLE_PLUGIN.search(text) else "flyway"


def _locations(value: str, root: str) -> list[str]:
    """``filesystem:`` is seen from the root, ``classpath:`` from the resources."""
    found = []
    for word in filter(None, (word.strip() for word in value.split(","))):
        kind, colon, path = word.rpartition(":")
        path = (
            path.replace("${project.basedir}/", "")
            .replace("$projectDir/", "")
            .replace("{vendor}", "postgresql")
        )
        found.append(join(join(root, RESOURCES) if kind == "classpath" or not colon else root, path))
    return found


def _own_settings(tree: Tree, path: str) -> Mapping[str, str]:
    text = tree.text(path)
    if path.endswith(".conf"):
        pairs = re.findall(r"^\s*flyway\.([\w.]+)\s*=\s*(.*?)\s*$", text, re.MULTILINE)
        return dict(pairs)
    try:
        found = tomllib.loads(text).get("flyway", {})
    except tomllib.TOMLDecodeError:
        return {}
    return {key: _written(value) for key, value in found.items() if not isinstance(value, dict)}


def _build_settings(tree: Tree, path: str) -> Mapping[str, str]:
    """What a plugin's configuration says about the names that we need."""
    text = tree.text(path)
    if path.endswith("pom.xml"):
        start = text.find("flyway-maven-plugin")
        block = text[start : text.find("</plugin>", start)]
        found = dict(re.findall(r"<(table|schemas|defaultSchema)>\s*([^<]+?)\s*</", block))
        found |= {"locations": ",".join(re.findall(r"<location>\s*([^<]+?)\s*</location>", block))}
        if "<jdbcProperties>" in block:
            found["jdbcProperties"] = "set"
        return found
    start = text.find("flyway {")
    block = text[start:] if start >= 0 else ""
    found = dict(re.findall(r"""\b(table|defaultSchema)\s*=\s*["']([^"']+)["']""", block))
    listed = re.search(r"\blocations\s*=\s*[^\n]*", block)
    return found | {"locations": ",".join(re.findall(r"""["']([^"']+)["']""", listed[0])) if listed else ""}


def _spring_settings(tree: Tree, root: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name in ("application", "application-prod", "application-production"):
        base = join(root, f"{RESOURCES}/{name}")
        for line in re.findall(
            r"^\s*spring\.flyway\.([\w.-]+)\s*[=:]\s*(.*?)\s*$", tree.text(f"{base}.properties"), re.MULTILINE
        ):
            found[_camel(line[0])] = line[1]
        for suffix in (".yml", ".yaml"):
            for document in documents(tree.text(base + suffix)):
                section = value_at(document, "spring.flyway")
                if isinstance(section, dict):
                    found |= {_camel(key): _written(value) for key, value in section.items() if value != ""}
    return {key: value for key, value in found.items() if "${" not in value and value}


def _camel(name: str) -> str:
    head, *rest = name.split("-")
    return head + "".join(part.capitalize() for part in rest)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
