"""Where an Alembic environment says that it is: alembic.ini, pyproject.toml, env.py. Pure."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from neon_hooks.systems.places import is_foreign, own, up_from
from neon_hooks.systems.pycode import assignments, literal, parse
from neon_hooks.tree import Tree, join, parent

OTHER_DATABASES = re.compile(r"\s*(?:sqlite|mysql|mariadb|oracle|mssql|duckdb|snowflake|clickhouse)\b")
# env.py takes the address from somewhere else than the configuration file.
COMPUTED = re.compile(r"environ|getenv|set_main_option|create_(?:async_)?engine|current_app|settings")
# Beside an env.py these say that `alembic init` copies it from here.
TEMPLATES = ("alembic.ini.mako", "pyproject.toml.mako")
SEPARATORS = {"os": ":", "colon": ":", ":": ":", "semicolon": ";", ";": ";", "newline": "\n", "space": " "}
FLASK_APP = re.compile(r"""\bFLASK_APP\b["']?\s*[=:\s]\s*["']?([\w./:()\-]+)""")
FLASK_APP_FILES = (
    ".flaskenv",
    ".env",
    "pyproject.toml",
    "Procfile",
    "Dockerfile",
    "Makefile",
    "docker-compose.yml",
)


@dataclass(frozen=True)
class Location:
    """One environment: ``root`` is where Alembic is started, ``script_dir`` has env.py; all from the top."""

    root: str
    script_dir: str
    evidence: str
    ini: str = ""
    section: str = "alembic"
    versions: tuple[str, ...] = ()
    recursive: bool = False


def locations(tree: Tree) -> list[Location]:
    """Every Alembic environment, each script directory once."""
    found: dict[tuple[str, str], Location] = {}
    claimed: set[str] = set()
    for place in (*_from_ini(tree), *_from_pyproject(tree)):
        found.setdefault((place.script_dir, place.section), place)
        claimed.add(place.script_dir)
    for place in _from_env(tree):
        if place.script_dir not in claimed:
            found[place.script_dir, ""] = place
    return list(found.values())


def _from_ini(tree: Tree) -> Iterator[Location]:
    for ini in own(tree.named("alembic.ini")):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(tree.text(ini))
        except configparser.Error:
            continue  # Alembic will say so, if an env.py makes this a place at all
        for section in parser.sections():
            if "script_location" in parser[section]:
                place = _location(tree, ini, section, parser[section], f"{ini} has script_location")
                if place:
                    yield place


def _from_pyproject(tree: Tree) -> Iterator[Location]:
    for path in own(tree.named("pyproject.toml")):
        text = tree.text(path)
        if "tool.alembic" not in text:
            continue
        try:
            values = tomllib.loads(text)["tool"]["alembic"]
        except (tomllib.TOMLDecodeError, KeyError, TypeError):
            continue
        flat = {key: "\n".join(map(str, v)) if isinstance(v, list) else str(v) for key, v in values.items()}
        flat.setdefault("path_separator", "newline")
        place = _location(tree, path, "alembic", flat, f"{path} has [tool.alembic]")
        if place:
            yield from [place] if place else []


def _location(
    tree: Tree, file: str, section: str, values: Mapping[str, str], evidence: str
) -> Location | None:
    """A configured environment. Its paths are relative to where Alembic is started, which nobody writes down:
    the nearest directory, from the file upwards, from which they lead to an env.py."""
    here = parent(file)
    for root in up_from(here):
        script_dir = _resolve(values["script_location"], here, root) if values.get("script_location") else ""
        for candidate in (script_dir, join(here, "src/" + _below(script_dir, here))):
            if script_dir and join(candidate, "env.py") in tree:
                if _is_not_postgres(values, tree.text(join(candidate, "env.py"))):
                    return None
                return Location(
                    root, candidate, evidence, file, section,
                    _version_directories(values, here, root, candidate),
                    values.get("recursive_version_locations", "").lower() == "true",
                )  # fmt: skip
    return None


def _is_not_postgres(values: Mapping[str, str], env: str) -> bool:
    """True only when another database's address is written out and nothing else is ever used."""
    return bool(OTHER_DATABASES.match(values.get("sqlalchemy.url", ""))) and not COMPUTED.search(env)


def _below(path: str, directory: str) -> str:
    return path.removeprefix(directory + "/") if directory else path


def _resolve(location: str, here: str, root: str) -> str:
    """A path, or ``package:path``; ``%(here)s`` is the directory of the file that says it."""
    location = location.strip().replace("\\", "/")
    if "%(here)s" in location:
        return join("", location.replace("%(here)s", here or "."))
    package, colon, path = location.partition(":")
    if colon:
        location = package.replace(".", "/") + "/" + path
    return join(root, location)


def _version_directories(values: Mapping[str, str], here: str, root: str, script_dir: str) -> tuple[str, ...]:
    text = values.get("version_locations", "").strip()
    if not text:
        return (join(script_dir, "versions"),)
    word = values.get("path_separator") or values.get("version_path_separator") or ""
    separator = SEPARATORS.get(word.strip())
    pattern = (
        re.escape(separator) if separator and separator.strip() else r"\n" if separator == "\n" else r"[\s,]+"
    )
    return tuple(_resolve(part, here, root) for part in re.split(pattern, text) if part.strip())


def _from_env(tree: Tree) -> Iterator[Location]:
    """An env.py with its template or its versions beside it, and no configuration file that leads there."""
    for path in tree.named("env.py"):
        directory = parent(path)
        if is_foreign(path) or "alembic" not in tree.text(path):
            continue
        if any(join(directory, name) in tree for name in TEMPLATES):
            continue
        versions = any(name.endswith(".py") for name in tree.below(join(directory, "versions")))
        if versions or join(directory, "script.py.mako") in tree:
            yield Location(parent(directory), directory, f"{path} is an Alembic environment")


def environment_options(tree: Tree, place: Location) -> dict[str, str]:
    """What env.py says: whose it is, and where the bookkeeping is kept when that is written as a literal."""
    content = tree.content(join(place.script_dir, "env.py"))
    options = dict(_configure_arguments(content))
    if b"current_app" in content:
        options["flask"] = "true"
        options["flask_app"] = _flask_app(tree, place.root)
    return options


def _flask_app(tree: Tree, root: str) -> str:
    for name in FLASK_APP_FILES:
        match = FLASK_APP.search(tree.text(join(root, name)))
        if match:
            return match[1]
    return ""


def _configure_arguments(content: bytes) -> Iterator[tuple[str, str]]:
    module = parse(content)
    if module is None:
        return
    constants = {name: literal(value) for name, value in assignments(module.body)}
    for call in _calls_of_configure(list(ast.walk(module))):
        for keyword in call.keywords:
            if keyword.arg in ("version_table", "version_table_schema"):
                name = keyword.value.id if isinstance(keyword.value, ast.Name) else ""
                value = constants.get(name) if name else literal(keyword.value)
                if isinstance(value, str):
                    yield keyword.arg, value


def _calls_of_configure(nodes: Sequence[ast.AST]) -> Iterator[ast.Call]:
    for node in nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "configure"
        ):
            yield node
