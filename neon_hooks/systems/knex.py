"""Knex: a knexfile, or a directory of migrations of a package that depends on knex.

Facts: https://knexjs.org/guide/migrations.html; what the command does with its knexfile (it changes into its
directory, and takes the block of an environment) is in its bin/cli.js and bin/utils/cli-config-utils.js.
A lock that a deployment left in ``knex_migrations_lock`` is copied with the rows: the tool then ends with
"Migration table is already locked", here as on the main Neon database branch.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace

from neon_hooks.plan import Bookkeeping, Command, Migration, Refusal, Unit, Work
from neon_hooks.systems.base import History, System, id_as_number
from neon_hooks.systems.jscode import (
    EXPORTS_UP,
    SUFFIXES,
    code,
    expressions,
    files_in,
    literal,
    literals,
    paths,
    same_js,
)
from neon_hooks.systems.nodecode import ADDRESS, LOADER, LOADER_FILE, refuse_own_runner
from neon_hooks.systems.packagejson import POSTGRES_DRIVERS, calls, depends, dependents, option
from neon_hooks.systems.places import is_foreign, own, up_from
from neon_hooks.systems.waysback import function, within
from neon_hooks.tree import Tree, inside, join, parent

NAMES = tuple(f"knexfile{suffix}" for suffix in SUFFIXES)
CLIENTS = frozenset(("pg", "postgres", "postgresql", "pgnative", "pg-native"))
KNEX = re.compile(r"knex", re.IGNORECASE)
WRAPPER = "knexfile.cjs"


def detect(tree: Tree) -> Iterable[Unit]:
    knexfiles = [path for name in NAMES for path in own(tree.named(name))]
    units = [unit for path in knexfiles for unit in _with_knexfile(tree, path)]
    roots = {parent(path) for path in knexfiles}
    return [*units, *(unit for unit in _without(tree) if not _is_covered(unit, units, roots))]


def _with_knexfile(tree: Tree, path: str) -> Iterable[Unit]:
    root, text = parent(path), code(tree.text(path))
    clients = {name for expression in expressions(text, "client") for name in literals(expression)}
    if clients and clients.isdisjoint(CLIENTS):
        return
    directories = _directories(tree, path, text)
    if directories:
        yield _unit(tree, root, directories, path, f"{path} and migrations in {directories[0]}/")


def _directories(tree: Tree, path: str, text: str) -> list[str]:
    """The first of the knexfile's blocks whose directories hold migrations; Knex' own default last."""
    root = parent(path)
    blocks = [b for b in expressions(text, "migrations") if b.startswith("{")]
    said = [e for block in blocks for e in expressions(block, "directory")]
    for expression in (*said, '"migrations"'):
        found = [d for d in paths(expression, here=root, root=root) if files_in(tree, d)]
        if found:
            return found
    return _written_for_it(tree, root)


def _written_for_it(tree: Tree, root: str) -> list[str]:
    """The outermost "migrations" below ``root`` with a file that is Knex' for sure, [] if there is none."""
    found: set[str] = set()
    for path in tree.below(root):
        directory = parent(path)
        if directory in found or not directory.endswith("migrations") or not path.endswith(SUFFIXES):
            continue
        text = "" if is_foreign(path) else tree.text(path)
        if KNEX.search(text) and EXPORTS_UP.search(text):
            found.add(directory)
    return sorted(found, key=lambda directory: (directory.count("/"), directory))[:1]


def _without(tree: Tree) -> Iterable[Unit]:
    """Packages that start Knex from code of their own."""
    for root in dependents(tree, "knex"):
        found = _written_for_it(tree, root) if depends(tree, root, *POSTGRES_DRIVERS) else []
        if found:
            yield _unit(tree, root, found, "", f"migrations for Knex in {found[0]}/")


def _is_covered(unit: Unit, units: list[Unit], roots: set[str]) -> bool:
    known = {directory for each in units for directory in each.options["directories"].split("\n")}
    return unit.migrations_dir in known or any(inside(root, unit.root) for root in roots)


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    knexfile = next((join(root, name) for name in NAMES if join(root, name) in tree), "")
    return _unit(tree, root, [migrations_dir], knexfile, "[[systems]] in the settings")


def _unit(tree: Tree, root: str, directories: list[str], knexfile: str, evidence: str) -> Unit:
    scripts = [call for place in up_from(root) for call in calls(tree, place, "knex")]
    text = "\n".join(expressions(code(tree.text(knexfile)), "migrations"))
    return Unit(
        "knex", root, directories[0], (evidence,),
        {
            "knexfile": knexfile,
            "directories": "\n".join(directories),
            "environment": option(scripts, "--env"),
            "table": literal(text, "tableName"),
            "schema": literal(text, "schemaName"),
            "runner": "" if knexfile else _runner(tree, directories[0]),
        },
    )  # fmt: skip


def _runner(tree: Tree, directory: str) -> str:
    """A program of the project's own among the migrations, which Knex' command would take for one of them."""
    return next((path for path in files_in(tree, directory) if not EXPORTS_UP.search(tree.text(path))), "")


def history(unit: Unit, tree: Tree) -> History:
    """By file name, whatever the directory: FsMigrations in lib/migrations/migrate/sources."""
    directories = unit.options.get("directories", unit.migrations_dir).split("\n")
    found = {path.rpartition("/")[2]: path for d in directories for path in files_in(tree, d)}
    return tuple(Migration(name, found[name], tree.oids[found[name]]) for name in sorted(found))


def apply(unit: Unit, pushed: History) -> Command:
    refuse_own_runner(unit)
    knexfile = unit.options.get("knexfile")
    above = [join(place, "node_modules") for place in up_from(unit.root)]
    return Command(
        ("knex", "migrate:latest", "--knexfile", "{files}/" + WRAPPER),
        "node",
        environment={
            **ADDRESS,
            # The command looks for knex beside its knexfile, which is not in the project here.
            "KNEX_PATH": "knex",
            "NODE_PATH": os.pathsep.join("{checkout}/" + place for place in above),
            "NEON_HOOKS_KNEXFILE": "{checkout}/" + knexfile if knexfile else "",
            "NEON_HOOKS_ENVIRONMENT": unit.options.get("environment", ""),
            "NEON_HOOKS_MIGRATIONS": "{checkout}/" + unit.migrations_dir,
        },
        files={LOADER_FILE: LOADER, WRAPPER: KNEXFILE},
    )


def down(work: Work, tree: Tree) -> Command:
    """The last batch, which is what one run has applied."""
    up = apply(work.unit, work.pushed)
    return replace(up, argv=("knex", "migrate:rollback", *up.argv[2:]))


KNEXFILE = """\
"use strict";
// The project's own knexfile, with the address of the test Neon database branch.
const fs = require("node:fs");
const path = require("node:path");
const { load, typescript, address } = require("./neon_hooks_load.cjs");
const { NEON_HOOKS_KNEXFILE: file, NEON_HOOKS_MIGRATIONS: directory } = process.env;
const asked = [process.env.NEON_HOOKS_ENVIRONMENT, process.env.NODE_ENV];
const ORDER = [...asked, "production", "staging", "development"];
const POSTGRES = /^(pg|postgres|postgresql|pg-?native)$/;

const isPostgres = (block) =>
  block && typeof block === "object" && (typeof block.client !== "string" || POSTGRES.test(block.client));

// The block that this command, or production, would take; else any that is for Postgres.
function choose(config) {
  if ("client" in config || "connection" in config) return config;
  const names = [...ORDER, ...Object.keys(config)].filter((name) => name && isPostgres(config[name]));
  if (!names.length) throw new Error(`neon-hooks: ${file} has no configuration for Postgres`);
  return config[names[0]];
}

async function own() {
  if (!file) return { client: "pg", migrations: { directory } };
  // Paths in it are relative to its directory, into which the command would have changed.
  process.chdir(path.dirname(file));
  const loaded = await load(file);
  let config = loaded.default ?? loaded;
  if (typeof config === "function") config = await config();
  return choose(await config);
}

module.exports = async () => {
  const block = await own();
  const said = [block.migrations?.directory ?? "./migrations"].flat();
  // A directory of compiled files is not part of a commit: their sources are taken in their place.
  const isThere = block.migrations?.migrationSource || said.some((each) => fs.existsSync(each));
  const migrations = isThere ? block.migrations : { ...block.migrations, directory };
  const [first] = [...said, directory].filter((each) => fs.existsSync(each));
  const code = first && fs.readdirSync(first).find((name) => name.endsWith(".ts"));
  if (code) typescript(path.resolve(first, code));
  const { host, port, user, password, database, ssl } = address();
  const connection = { host, port, user, password, database, ssl };
  return { ...block, client: block.client ?? "pg", connection, migrations };
};
"""


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(
        table=unit.options.get("table") or "knex_migrations",
        id_sql="name",
        schema=unit.options.get("schema") or None,
    )


SYSTEM = System(
    name="knex", detect=detect, history=history, apply=apply, at=at, bookkeeping=bookkeeping, same=same_js,
    down=down, number=id_as_number, downs=within(function()),
    refusals=lambda unit: (
        Refusal(
            f"{bookkeeping(unit).table}_lock", "case when is_locked = 1 then 'somebody' end",
            "`knex migrate:unlock`", bookkeeping(unit).schema, is_lock=True,
            release="update {table} set is_locked = 0",
        ),
    ),
)  # fmt: skip
