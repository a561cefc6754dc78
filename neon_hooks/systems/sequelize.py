"""Sequelize: the migrations of sequelize-cli, or of a program that runs them with umzug.

Facts: https://sequelize.org/docs/v6/other-topics/migrations/; which files count, and that ``--config`` wins
over .sequelizerc, is in sequelize-cli's src/core/migrator.js and src/helpers/config-helper.js.
``--url`` would do for the address, but then the command reads no configuration at all, not even the name
of its bookkeeping: so it gets one that is made from the project's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from neon_hooks.plan import Bookkeeping, Command, Migration, Unit, Work
from neon_hooks.systems.base import History, System, id_as_number
from neon_hooks.systems.jscode import code, expressions, literal, literals, paths, same_js
from neon_hooks.systems.nodecode import ADDRESS, LOADER, LOADER_FILE
from neon_hooks.systems.packagejson import calls, depends, dependents, option
from neon_hooks.systems.places import own, relative
from neon_hooks.systems.waysback import function, within
from neon_hooks.tree import Tree, join, parent

FILE = re.compile(r"(?!.*\.d\.ts$).*\.(?:cjs|js|cts|ts)")
CONFIGS = tuple(f"config/config.{suffix}" for suffix in ("js", "json", "cjs", "ts"))
DIRECTORIES = ("migrations", "db/migrations", "src/migrations", "database/migrations", "src/db/migrations")
MARK = re.compile(r"\bqueryInterface\b|\bQueryInterface\b|\bSequelize\b")
DIALECTS = frozenset(("postgres", "postgresql"))
WRAPPER = "neon_hooks_config.cjs"


def detect(tree: Tree) -> Iterable[Unit]:
    roots = {*map(parent, own(tree.named(".sequelizerc"))), *dependents(tree, "sequelize-cli", "sequelize")}
    for root in sorted(roots):
        if not depends(tree, root, "sequelize-cli", "sequelize", "sequelize-typescript"):
            continue
        directory = _directory(tree, root)
        if directory and not _is_other_dialect(tree, _config(tree, root)):
            yield _unit(tree, root, directory, f"migrations for Sequelize in {directory}/")


def _directory(tree: Tree, root: str) -> str:
    """Where the migrations are: what is said about it, else the usual places; "" if none has any."""
    said = _said(tree, root, "migrations-path", "migrationsPath")
    for directory in [said] if said else [join(root, name) for name in DIRECTORIES]:
        if any(MARK.search(tree.text(path)) for path in _files(tree, directory)):
            return directory
    return ""


def _config(tree: Tree, root: str) -> str:
    said = _said(tree, root, "config", "config")
    return said if said in tree else next((p for p in (join(root, n) for n in CONFIGS) if p in tree), "")


def _said(tree: Tree, root: str, name: str, camel: str) -> str:
    """The path that a script's flag or .sequelizerc gives for ``name``, "" if neither does."""
    flag = option(calls(tree, root, "sequelize-cli", "sequelize"), f"--{name}")
    if flag:
        return join(root, flag)
    text = code(tree.text(join(root, ".sequelizerc")))
    said = [expression for key in (name, camel) for expression in expressions(text, key)]
    found = [path for expression in said for path in paths(expression, here=root, root=root)]
    return found[0] if found else ""


def _is_other_dialect(tree: Tree, config: str) -> bool:
    """Whether every dialect that the configuration writes out is another database's."""
    said = {name for e in expressions(code(tree.text(config)), "dialect") for name in literals(e)}
    return bool(said) and said.isdisjoint(DIALECTS)


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    return _unit(tree, root, migrations_dir, "[[systems]] in the settings")


def _unit(tree: Tree, root: str, directory: str, evidence: str) -> Unit:
    config = _config(tree, root)
    text = code(tree.text(config))
    return Unit(
        "sequelize", root, directory, (evidence,),
        {
            "config": config,
            "environment": option(calls(tree, root, "sequelize-cli", "sequelize"), "--env"),
            "table": literal(text, "migrationStorageTableName"),
            "schema": literal(text, "migrationStorageTableSchema"),
        },
    )  # fmt: skip


def _files(tree: Tree, directory: str) -> list[str]:
    here = (path for path in tree.below(directory) if parent(path) == directory)
    return [path for path in here if FILE.fullmatch(path.rpartition("/")[2])]


def history(unit: Unit, tree: Tree) -> History:
    names = sorted((path.rpartition("/")[2], path) for path in _files(tree, unit.migrations_dir))
    return tuple(Migration(name, path, tree.oids[path]) for name, path in names)


def apply(unit: Unit, pushed: History) -> Command:
    config = unit.options.get("config")
    return Command(
        (
            "sequelize-cli", "db:migrate", "--config", "{files}/" + WRAPPER,
            "--migrations-path", relative(unit.migrations_dir, unit.root),
        ),
        "node",
        environment={
            **ADDRESS,
            "NEON_HOOKS_CONFIG": "{checkout}/" + config if config else "",
            "NEON_HOOKS_ENVIRONMENT": unit.options.get("environment", ""),
            "NEON_HOOKS_MIGRATIONS": "{checkout}/" + unit.migrations_dir,
        },
        files={LOADER_FILE: LOADER, WRAPPER: CONFIG},
    )  # fmt: skip


def down(work: Work, tree: Tree) -> Command:
    up = apply(work.unit, work.pushed)
    return replace(up, argv=("sequelize-cli", "db:migrate:undo:all", "--to", work.pushed[0].id, *up.argv[2:]))


CONFIG = """\
"use strict";
// The project's own configuration, with the address of the test Neon database branch.
const fs = require("node:fs");
const path = require("node:path");
const { load, typescript, address } = require("./neon_hooks_load.cjs");
const { NEON_HOOKS_CONFIG: file, NEON_HOOKS_MIGRATIONS: directory } = process.env;
const asked = [process.env.NEON_HOOKS_ENVIRONMENT, process.env.NODE_ENV];
const ORDER = [...asked, "production", "staging", "development"];
const SETTINGS = ["dialect", "url", "use_env_variable", "database", "host"];

const isPostgres = (block) =>
  block && typeof block === "object" && (block.dialect === undefined || /^postgres/.test(block.dialect));

// The block that this command, or production, would take; else any that is for Postgres.
function choose(config) {
  if (SETTINGS.some((name) => typeof config[name] === "string")) return config;
  const names = [...ORDER, ...Object.keys(config)].filter((name) => name && isPostgres(config[name]));
  if (!names.length) throw new Error(`neon-hooks: ${file} has no configuration for Postgres`);
  return config[names[0]];
}

async function own() {
  if (!file) return {};
  const loaded = await load(file);
  let config = loaded.default ?? loaded;
  if (typeof config === "function") {
    config = config.length === 1 ? await require("node:util").promisify(config)() : await config();
  }
  return choose(await config);
}

module.exports = (async () => {
  const block = { ...(await own()) };
  for (const name of ["url", "use_env_variable", "replication", "dialectModulePath"]) delete block[name];
  const code = fs.readdirSync(directory).find((name) => name.endsWith(".ts"));
  if (code) typescript(path.join(directory, code));
  const { user: username, host, port, password, database, ssl } = address();
  const place = { host, port, username, password, database, ssl };
  return { ...block, ...place, dialect: "postgres", dialectOptions: { ...block.dialectOptions, ssl } };
})();
"""


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(
        table=unit.options.get("table") or "SequelizeMeta",
        id_sql="name",
        schema=unit.options.get("schema") or None,
    )


SYSTEM = System(
    name="sequelize", detect=detect, history=history, apply=apply, at=at, bookkeeping=bookkeeping,
    down=down, same=same_js, number=id_as_number, downs=within(function()),
)  # fmt: skip
