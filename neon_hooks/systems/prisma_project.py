"""Where a Prisma project says that it is: migration_lock.toml, schema.prisma, prisma.config.*. Pure.

https://www.prisma.io/docs/orm/prisma-schema/overview/location, /docs/orm/reference/prisma-config-reference
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from neon_hooks.systems.packagejson import manifest
from neon_hooks.systems.places import own, up_from
from neon_hooks.tree import Tree, join, parent

LOCK = "migration_lock.toml"
CONFIGS = tuple(
    name.format(suffix)
    for name in ("prisma.config.{}", ".config/prisma.{}")
    for suffix in ("ts", "mts", "cts", "js", "mjs", "cjs")
)
DATASOURCE = re.compile(r"^\s*datasource\s+\w+\s*\{(.*?)^\s*\}", re.DOTALL | re.MULTILINE)
FIELD = re.compile(r"""^\s*(\w+)\s*=\s*(?:env\(\s*"(\w+)"\s*\)|"([^"\n]*)")""", re.MULTILINE)
URLS = ("url", "directUrl", "shadowDatabaseUrl")
PUSH = re.compile(r"\bprisma(?:@[\w.^~-]+)?\s+db\s+push\b([^&|;]*)")
SCHEMA_PARAMETER = re.compile(r"postgres(?:ql)?://\S*[?&]schema=([A-Za-z_]\w*)")


@dataclass(frozen=True)
class Location:
    """``root`` is where prisma is started; ``schema`` is a file, or a directory of files; from the top.

    ``variables`` are the environment variables that the datasource reads, ``literal`` tells that an address
    is written into it. ``default_schema``: the CLI finds the schema by itself. ``push``: there are
    no migrations, and these are the flags with which the scripts call ``prisma db push``; ``files`` are then
    those of the schema. ``db_schema`` is the parameter of the address in .env.example.
    """

    root: str
    migrations_dir: str
    evidence: str
    config: str = ""
    schema: str = ""
    default_schema: bool = True
    variables: tuple[str, ...] = ()
    literal: bool = False
    push: str = ""
    files: tuple[str, ...] = ()
    db_schema: str = ""


def locations(tree: Tree) -> list[Location]:
    """Every project with migrations, and every one whose scripts push its schema instead."""
    found: dict[str, Location] = {}
    for lock in own(tree.named(LOCK)):
        if re.search(r"""^\s*provider\s*=\s*["']postgresql["']""", tree.text(lock), re.MULTILINE):
            found[parent(lock)] = _located(tree, parent(lock), lock)
    for place in _pushed(tree, [place.root for place in found.values()]):
        found.setdefault(place.migrations_dir, place)
    return list(found.values())


def located(tree: Tree, migrations_dir: str) -> Location:
    """What is known about a directory that the settings name."""
    return _located(tree, migrations_dir, "[[systems]] in the settings")


def _located(tree: Tree, migrations_dir: str, evidence: str) -> Location:
    above = up_from(parent(migrations_dir))
    config = next((path for place in above for path in _configs(tree, place)), "")
    root = _root(tree, above, config)
    schema = _schema(tree, root, migrations_dir)
    return _described(tree, root, migrations_dir, evidence, config, schema)


def _root(tree: Tree, above: Sequence[str], config: str) -> str:
    if config:
        return parent(config).removesuffix(".config").rstrip("/")
    beside = above[min(1, len(above) - 1)]  # of prisma/schema.prisma
    return next((place for place in above if join(place, "package.json") in tree), beside)


def _configs(tree: Tree, directory: str) -> Iterator[str]:
    return (path for name in CONFIGS for path in [join(directory, name)] if path in tree)


def _schema(tree: Tree, root: str, migrations_dir: str) -> str:
    """The file with the datasource, or its directory where the schema is spread over several."""
    here = parent(migrations_dir)
    for directory in dict.fromkeys((here, join(here, "schema"), join(root, "prisma"), root)):
        files = _prisma_files(tree, directory)
        if any(DATASOURCE.search(tree.text(path)) for path in files):
            return directory if len(files) > 1 else files[0]
    return ""


def _prisma_files(tree: Tree, directory: str) -> list[str]:
    return [path for path in tree.below(directory) if path.endswith(".prisma") and parent(path) == directory]


def _described(
    tree: Tree, root: str, migrations_dir: str, evidence: str, config: str, schema: str
) -> Location:
    files = [schema] if schema.endswith(".prisma") else _prisma_files(tree, schema) if schema else []
    fields = datasource(tree, files)
    urls = [fields.get(name, ("", "")) for name in URLS]
    named = manifest(tree, root).get("prisma")
    by_itself = bool(config) or isinstance(named, dict) and "schema" in named
    usual = schema in ("", join(root, "schema.prisma"), join(root, "prisma/schema.prisma"))
    examples = [path for path in tree.below(join(root, "")) if parent(path) == root and "/.env" in f"/{path}"]
    schemas = [match[1] for path in examples for match in [SCHEMA_PARAMETER.search(tree.text(path))] if match]
    return Location(
        root=root,
        migrations_dir=migrations_dir,
        evidence=evidence,
        config=config,
        schema=schema,
        default_schema=by_itself or usual,
        variables=tuple(dict.fromkeys(variable for variable, _ in urls if variable)),
        literal=any(text for _, text in urls),
        db_schema=schemas[0] if schemas else "",
    )


def datasource(tree: Tree, files: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The fields of the datasource block, each as (environment variable, literal text)."""
    for path in files:
        block = DATASOURCE.search("\n".join(_without_comment(line) for line in tree.text(path).splitlines()))
        if block:
            return {match[1]: (match[2] or "", match[3] or "") for match in FIELD.finditer(block[1])}
    return {}


def _without_comment(line: str) -> str:
    return "" if line.lstrip().startswith("//") else line


def _pushed(tree: Tree, known: Sequence[str]) -> Iterator[Location]:
    """Projects without migrations whose own scripts say ``prisma db push``, with or without a schema.

    A schema alone is no evidence: it may be read from a database that another tool migrates.
    """
    for path in own(tree.named("package.json")):
        root = parent(path)
        scripts = manifest(tree, root).get("scripts")
        lines = scripts.values() if isinstance(scripts, dict) else ()
        calls = [PUSH.search(str(line)) for line in lines]
        flags = next((match[1] for match in calls if match), None)
        if root in known or flags is None:
            continue
        named = re.search(r"--schema[= ](\S+)", flags)
        config = next(_configs(tree, root), "")
        schema = join(root, named[1]) if named else _schema(tree, root, join(root, "prisma/migrations"))
        files = [schema] if schema in tree else _prisma_files(tree, schema) if schema else []
        if datasource(tree, files).get("provider") == ("", "postgresql"):
            directory = parent(schema) if schema in tree else schema
            place = _described(tree, root, directory, f"{path}: prisma db push", config, schema)
            yield replace(place, push=flags.strip() or "db push", files=tuple(files))
