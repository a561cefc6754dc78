"""TypeORM (0.3 and later): classes that implement MigrationInterface, in a package that needs typeorm.

Facts: https://typeorm.io/docs/migrations/why; a migration is called as its class, or as its ``name`` says,
and its last 13 digits order it (src/migration/MigrationExecutor.ts). ``migration:show`` ends with 0
whatever it finds, so only the bookkeeping tells.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from neon_hooks.plan import Bookkeeping, Command, Comparison, Migration, Unit, Work
from neon_hooks.systems.base import History, System
from neon_hooks.systems.jscode import SUFFIXES, code, expressions, literal, literals, paths, same_js
from neon_hooks.systems.nodecode import ADDRESS, LOADER, LOADER_FILE
from neon_hooks.systems.packagejson import calls, dependents, option
from neon_hooks.systems.places import is_foreign, up_from
from neon_hooks.systems.waysback import function, within
from neon_hooks.tree import Tree, inside, join, parent

COMMANDS = ("typeorm", "typeorm-ts-node-commonjs", "typeorm-ts-node-esm", "typeorm-ts-node")
MIGRATION = re.compile(r"\bMigrationInterface\b|\bup\s*\(\s*queryRunner\b")
CLASS = re.compile(r"\bclass\s+(\w+)")
# A property or a field that gives the migration another name than its class has.
NAME = re.compile(
    r"""^\s*(?:public\s+|readonly\s+|this\.)*name\s*(?::\s*string\s*)?=\s*["'`]([^"'`]+)["'`]""", re.MULTILINE
)
SOURCE_NAME = re.compile(r"source|typeorm|orm|database|db|config|connection|cli", re.IGNORECASE)
SOURCE = re.compile(r"\bnew\s+DataSource\s*\(")
GLOB = re.compile(r"[*?{\[!(]")
DIALECTS = frozenset(("postgres", "aurora-postgres"))
WRAPPER = "neon_hooks_datasource.cjs"


def detect(tree: Tree) -> Iterable[Unit]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    roots = dependents(tree, "typeorm")
    sources = {root: _sources(tree, root) for root in roots}
    for directory in _directories(tree) if roots else ():
        root = next((place for place in up_from(directory) if place in sources), None)
        if root is not None:
            found[root, _source_of(directory, sources[root])].append(directory)
    for (root, source), directories in found.items():
        kinds = {name for e in expressions(code(tree.text(source)), "type") for name in literals(e)}
        if not kinds or kinds & DIALECTS:
            where = f" with {source}" if source else ""
            evidence = f"migrations for TypeORM in {directories[0]}/{where}"
            yield _unit(tree, root, directories, source, evidence)


def _directories(tree: Tree) -> list[str]:
    """Directories of migrations: one file of each is read."""
    looked_at: dict[str, bool] = {}
    for path in tree.paths:
        directory, _, name = path.rpartition("/")
        if "migrat" in directory.lower() and name.endswith(SUFFIXES) and not is_foreign(path):
            if not looked_at.get(directory):
                looked_at[directory] = bool(_classes(tree.text(path)))
    return [directory for directory, is_one in looked_at.items() if is_one]


def _sources(tree: Tree, root: str) -> Mapping[str, Sequence[str]]:
    """Files that make a DataSource, each with where it says that its migrations are; a script's first."""
    said = [option(calls(tree, place, *COMMANDS), "-d", "--dataSource") for place in up_from(root)]
    named = [join(root, path) for path in said if path]
    likely = [
        path
        for path in tree.below(root)
        if path.endswith(SUFFIXES) and SOURCE_NAME.search(path.rpartition("/")[2]) and not is_foreign(path)
    ]
    found = [path for path in dict.fromkeys((*named, *likely)) if SOURCE.search(tree.text(path))]
    return {path: _migrations(code(tree.text(path)), parent(path), root) for path in found}


def _migrations(text: str, here: str, root: str) -> list[str]:
    said = [p for e in expressions(text, "migrations") for p in paths(e, here=here, root=root)]
    return [path[: glob.start()].rpartition("/")[0] if (glob := GLOB.search(path)) else path for path in said]


def _source_of(directory: str, sources: Mapping[str, Sequence[str]]) -> str:
    """The DataSource that names the directory, else the first that there is."""
    for path, places in sources.items():
        if any(directory == place or (place and inside(directory, place)) for place in places):
            return path
    return next(iter(sources), "")


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    source = _source_of(migrations_dir, _sources(tree, root))
    return _unit(tree, root, [migrations_dir], source, "[[systems]] in the settings")


def _unit(tree: Tree, root: str, directories: Sequence[str], source: str, evidence: str) -> Unit:
    text = code(tree.text(source))
    return Unit(
        "typeorm", root, directories[0], (evidence,),
        {
            "source": source,
            "directories": "\n".join(directories),
            "table": literal(text, "migrationsTableName"),
            "schema": literal(text, "schema"),
        },
    )  # fmt: skip


def history(unit: Unit, tree: Tree) -> History:
    directories = unit.options.get("directories", unit.migrations_dir).split("\n")
    found = [
        Migration(id, path, tree.oids[path])
        for directory in directories
        for path in tree.below(directory)
        if parent(path) == directory and path.endswith(SUFFIXES) and not path.endswith(".d.ts")
        for id in _classes(tree.text(path))
    ]
    return tuple(sorted(found, key=lambda migration: (_timestamp(migration.id), migration.path)))


def _classes(text: str) -> list[str]:
    """The names of the migrations in a file."""
    if not MIGRATION.search(text):
        return []
    plain = code(text)
    starts = [*CLASS.finditer(plain)]
    ends = [*(match.start() for match in starts[1:]), len(plain)]
    bodies = [(match[1], plain[match.start() : end]) for match, end in zip(starts, ends)]
    return [
        named[1] if (named := NAME.search(body)) else name
        for name, body in bodies
        if re.search(r"\bup\s*[(=]", body)
    ]


def number(migration: Migration) -> str:
    return str(_timestamp(migration.id) or "")


def _timestamp(id: str) -> int:
    return int(id[-13:]) if re.fullmatch(r"\d{13}", id[-13:]) else 0


def apply(unit: Unit, pushed: History) -> Command:
    source = unit.options.get("source")
    directories = unit.options.get("directories", unit.migrations_dir).split("\n")
    return Command(
        # One transaction for each: with one for all, TypeORM refuses a migration that wants none.
        ("typeorm", "migration:run", "-d", "{files}/" + WRAPPER, "-t", "each"),
        "node",
        environment={
            **ADDRESS,
            "NEON_HOOKS_ROOT": "{root}",
            "NEON_HOOKS_SOURCE": "{checkout}/" + source if source else "",
            "NEON_HOOKS_MIGRATIONS": os.pathsep.join("{checkout}/" + directory for directory in directories),
        },
        files={LOADER_FILE: LOADER, WRAPPER: DATA_SOURCE},
    )


def down(work: Work, tree: Tree) -> Command:
    up = apply(work.unit, work.pushed)
    return replace(up, argv=("typeorm", "migration:revert", *up.argv[2:]))


def compare(unit: Unit, tree: Tree) -> Comparison | None:
    """``schema:log``: what TypeORM would do to the database to make it as the entities say."""
    up = apply(unit, ())
    if not unit.options.get("source"):
        return None
    return Comparison(
        replace(up, argv=("typeorm", "schema:log", *up.argv[2:4])),
        differs=r"will execute following sql quer",
        difference=r"(?i)^\s*(?:create|alter|drop|comment|insert|delete|update) .*",
        by_database=True,
    )


DATA_SOURCE = """\
"use strict";
// The project's own DataSource, with the address of the test Neon database branch.
const fs = require("node:fs");
const path = require("node:path");
const { createRequire } = require("node:module");
const { load, typescript, address } = require("./neon_hooks_load.cjs");
const { NEON_HOOKS_SOURCE: file, NEON_HOOKS_ROOT: root } = process.env;
const directories = process.env.NEON_HOOKS_MIGRATIONS.split(path.delimiter);
// Nothing may change the schema but the migrations.
const FORCED = { synchronize: false, dropSchema: false, migrationsRun: false, replication: undefined };
const BUILT = /(^|[\\\\/])(dist|build|out|lib)[\\\\/]/;

const isSource = (value) => typeof value?.setOptions === "function" && value.options;

async function own() {
  if (!file) {
    const { DataSource } = createRequire(path.join(root, "package.json"))("typeorm");
    return new DataSource({ type: "postgres" });
  }
  const loaded = await load(file);
  for (const value of [loaded, ...Object.values(loaded), ...Object.values(loaded.default ?? {})]) {
    const found = await value;
    if (isSource(found)) return found;
  }
  throw new Error(`neon-hooks: ${file} exports no DataSource`);
}

// Compiled files are not part of a commit: their sources are taken in their place.
function migrations(said) {
  const list = Array.isArray(said) ? said : Object.values(said ?? {});
  const compiled = list.every((each) => typeof each === "string" && BUILT.test(each));
  return compiled && (list.length || !file) ? directories.map((each) => path.join(each, "*.{ts,js,cjs,mjs,cts,mts}")) : said;
}

async function redirected() {
  const code = directories.flatMap((each) => fs.readdirSync(each).map((name) => path.join(each, name)));
  const first = code.find((name) => name.endsWith(".ts"));
  if (first) typescript(first);
  const source = await own();
  const { host, port, user: username, password, database, ssl } = address();
  const place = { url: undefined, host, port, username, password, database, ssl };
  source.setOptions({ ...FORCED, ...place, migrations: migrations(source.options.migrations) });
  return source;
}

exports.source = redirected();
exports.source.catch(() => {}); // whoever waits for it is told
"""


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(
        table=unit.options.get("table") or "migrations",
        id_sql="name",
        schema=unit.options.get("schema") or None,
    )


SYSTEM = System(
    name="typeorm", detect=detect, history=history, apply=apply, at=at, default_dir="src/migrations",
    bookkeeping=bookkeeping, down=down, down_one=True, same=same_js, number=number, downs=within(function()),
    compare=compare,
)  # fmt: skip
