"""Kysely: the migrations of kysely-ctl, or of a program that runs them with Kysely's own Migrator.

Facts: https://kysely.dev/docs/migrations, https://github.com/kysely-org/kysely-ctl. kysely-ctl passes over
JavaScript files, and ends with 0, unless ``migrations.allowJS`` is set: the bookkeeping tells.
On Postgres its lock is an advisory one: unlike rows, it is not copied to a test Neon database branch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from neon_hooks.plan import Bookkeeping, Command, Migration, Unit, Work
from neon_hooks.systems.base import History, System, id_as_number
from neon_hooks.systems.jscode import (
    EXPORTS_UP,
    SUFFIXES,
    code,
    expressions,
    files_in,
    literal,
    paths,
    same_js,
)
from neon_hooks.systems.nodecode import ADDRESS, LOADER, LOADER_FILE, refuse_own_runner
from neon_hooks.systems.packagejson import POSTGRES_DRIVERS, depends, dependents
from neon_hooks.systems.places import is_foreign, own
from neon_hooks.systems.waysback import function, within
from neon_hooks.tree import Tree, inside, join, parent

NAMES = tuple(f"kysely.config{suffix}" for suffix in SUFFIXES)
KYSELY = re.compile(r"\bKysely\b|[\"']kysely[\"']")
DIALECT = re.compile(r"""\bnew\s+(\w+)Dialect\b|\bdialect["']?\s*:\s*["']([^"']+)["']""")
POSTGRES = frozenset(
    ("Postgres", "PostgresJS", "Neon", "NeonHTTP", "pg", "postgres", "bun", "@neondatabase/serverless")
)
CONFIG_FILE, SCRIPT_FILE = "neon_hooks_kysely.config.ts", "neon_hooks_kysely.cjs"


def detect(tree: Tree) -> Iterable[Unit]:
    configs = [path for name in NAMES for path in own(tree.named(name))]
    units = [unit for path in configs for unit in _configured(tree, path)]
    roots = [_root(path) for path in configs]
    for root in dependents(tree, "kysely"):
        directory = _written_for_it(tree, root) if depends(tree, root, *POSTGRES_DRIVERS) else ""
        # Below another package's root the directory is that one's.
        known = any(unit.migrations_dir == directory for unit in units)
        if directory and not known and not any(inside(each, root) or each == root for each in roots):
            units.append(_unit(tree, root, directory, "", f"migrations for Kysely in {directory}/"))
    return units


def _root(config: str) -> str:
    return parent(config).removesuffix(".config").rstrip("/")


def _configured(tree: Tree, config: str) -> Iterable[Unit]:
    root, text = _root(config), code(tree.text(config))
    dialects = {name or word for name, word in DIALECT.findall(text)}
    if dialects and dialects.isdisjoint(POSTGRES):
        return
    said = [p for e in expressions(text, "migrationFolder") for p in paths(e, here=parent(config), root=root)]
    for directory in (*said, join(root, "migrations")):
        if files_in(tree, directory):
            yield _unit(tree, root, directory, config, f"{config} and migrations in {directory}/")
            return


def _written_for_it(tree: Tree, root: str) -> str:
    for path in tree.below(root):
        directory = parent(path)
        if "migrat" not in directory or not path.endswith(SUFFIXES) or is_foreign(path):
            continue
        text = tree.text(path)
        if KYSELY.search(text) and EXPORTS_UP.search(text):
            return directory
    return ""


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    config = next((join(root, name) for name in NAMES if join(root, name) in tree), "")
    return _unit(tree, root, migrations_dir, config, "[[systems]] in the settings")


def _unit(tree: Tree, root: str, directory: str, config: str, evidence: str) -> Unit:
    text = code(tree.text(config))
    return Unit(
        "kysely", root, directory, (evidence,),
        {
            "config": config,
            "table": literal(text, "migrationTableName"),
            "schema": literal(text, "migrationTableSchema"),
            "runner": "" if config else _runner(tree, directory),
        },
    )  # fmt: skip


def _runner(tree: Tree, directory: str) -> str:
    """A provider of the project's own among the migrations, which may give them names of its own."""
    return next((path for path in files_in(tree, directory) if not EXPORTS_UP.search(tree.text(path))), "")


def history(unit: Unit, tree: Tree) -> History:
    files = [path for path in files_in(tree, unit.migrations_dir) if EXPORTS_UP.search(tree.text(path))]
    named = sorted((path.rpartition("/")[2].rpartition(".")[0], path) for path in files)
    return tuple(Migration(id, path, tree.oids[path]) for id, path in named)


def apply(unit: Unit, pushed: History) -> Command:
    refuse_own_runner(unit)
    config = unit.options.get("config")
    argv = ("kysely", "migrate:latest", "--config", "{files}/" + CONFIG_FILE, "--no-outdated-check")
    return Command(
        argv if config else ("node", "{files}/" + SCRIPT_FILE),
        "node",
        environment={
            **ADDRESS,
            "NEON_HOOKS_ROOT": "{root}",
            "NEON_HOOKS_CONFIG": "{checkout}/" + config if config else "",
            "NEON_HOOKS_MIGRATIONS": "{checkout}/" + unit.migrations_dir,
        },
        files={LOADER_FILE: LOADER, CONFIG_FILE: CONFIG, SCRIPT_FILE: SCRIPT},
    )


def down(work: Work, tree: Tree) -> Command:
    up = apply(work.unit, work.pushed)
    words = ["migrate:down" if word == "migrate:latest" else word for word in up.argv]
    return replace(up, argv=tuple(words) if work.unit.options.get("config") else (*up.argv, "down"))


# TypeScript, because kysely-ctl then loads with its own loader whatever this file imports.
CONFIG = """\
// The project's own configuration, with the address of the test Neon database branch.
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";

const file = process.env.NEON_HOOKS_CONFIG;
const project = createRequire(file);
const { address } = createRequire(import.meta.url)("./neon_hooks_load.cjs");

const value = async (said) => (typeof said === "function" ? await said() : await said);

function dialect() {
  const { user, host, port, password, database, ssl } = address();
  try {
    const { Pool } = project("pg");
    const { PostgresDialect } = project("kysely");
    return new PostgresDialect({ pool: new Pool({ user, host, port, password, database, ssl }) });
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    const { PostgresJSDialect } = project("kysely-postgres-js");
    const postgres = project("postgres")({ user, host, port, password, database, ssl });
    return new PostgresJSDialect({ postgres });
  }
}

const loaded = await import(file);
const { kysely, dialect: _, dialectConfig: __, ...own } = await value(loaded.default ?? loaded);
const plugins = own.plugins ?? (kysely ? [...(await value(kysely)).getExecutor().plugins] : []);
const here = dirname(file).replace(/[\\\\/]\\.config$/, "");
const migrationFolder = resolve(here, own.migrations?.migrationFolder ?? "migrations");

export default { ...own, plugins, dialect, migrations: { ...own.migrations, migrationFolder } };
"""
SCRIPT = """\
"use strict";
// What Kysely's documentation has a project write: its Migrator, with the migrations of one directory.
const { promises: fs, readdirSync } = require("node:fs");
const path = require("node:path");
const { createRequire } = require("node:module");
const { typescript, load, address } = require("./neon_hooks_load.cjs");
const { NEON_HOOKS_ROOT: root, NEON_HOOKS_MIGRATIONS: directory } = process.env;

async function main() {
  const project = createRequire(path.join(root, "package.json"));
  const { Kysely, Migrator, PostgresDialect } = project("kysely");
  const { Pool } = project("pg");
  const { user, host, port, password, database, ssl } = address();
  const isCode = (name) => /\\.[cm]?[jt]s$/.test(name) && !/\\.d\\.[cm]?ts$/.test(name);
  const names = readdirSync(directory).filter(isCode);
  const code = names.find((name) => name.endsWith("ts"));
  if (code) typescript(path.join(directory, code));
  const provider = {
    async getMigrations() {
      const found = {};
      for (const name of names) {
        const loaded = await load(path.join(directory, name));
        found[name.slice(0, name.lastIndexOf("."))] = loaded.up ? loaded : loaded.default;
      }
      return found;
    },
  };
  const dialect = new PostgresDialect({ pool: new Pool({ user, host, port, password, database, ssl }) });
  const db = new Kysely({ dialect });
  const migrator = new Migrator({ db, provider });
  const isDown = process.argv[2] === "down";
  const { error, results } = await (isDown ? migrator.migrateDown() : migrator.migrateToLatest());
  for (const each of results ?? []) console.log(`${each.status}: ${each.migrationName}`);
  await db.destroy();
  if (error) throw error;
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
"""


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(
        table=unit.options.get("table") or "kysely_migration",
        id_sql="name",
        schema=unit.options.get("schema") or None,
    )


SYSTEM = System(
    name="kysely", detect=detect, history=history, apply=apply, at=at, bookkeeping=bookkeeping, same=same_js,
    down=down, down_one=True, number=id_as_number, downs=within(function()),
)  # fmt: skip
