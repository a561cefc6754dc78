"""MikroORM (version 5 and later): classes that extend Migration, below a package that depends on MikroORM.

Facts: https://mikro-orm.io/docs/migrations; names in the bookkeeping have lost their extension, or still have
it when an older version wrote them (packages/migrations/src/MigrationStorage.ts).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from neon_hooks.plan import Bookkeeping, Command, Comparison, Migration, Unit, Work
from neon_hooks.systems.base import History, System, id_as_number
from neon_hooks.systems.jscode import SUFFIXES, code, expressions, files_in, literal, paths, same_js
from neon_hooks.systems.nodecode import ADDRESS, LOADER, LOADER_FILE
from neon_hooks.systems.packagejson import calls, depends, dependents, manifest, option
from neon_hooks.systems.places import is_foreign
from neon_hooks.systems.waysback import function, within
from neon_hooks.tree import Tree, join, parent

PACKAGES = ("@mikro-orm/migrations", "@mikro-orm/cli", "@mikro-orm/core")
MIGRATION = re.compile(r"\bextends\s+Migration\b")
CONFIG_NAME = re.compile(r"(?:mikro-?)?orm\.config(?:\.\w+)?\.[cm]?[jt]s")
WRAPPER = "neon_hooks_mikroorm.js"  # no other suffix is taken


def detect(tree: Tree) -> Iterable[Unit]:
    taken: set[str] = set()
    # The innermost package first: in a monorepo the outer one may ask for the same.
    for root in sorted(dependents(tree, *PACKAGES), key=lambda root: -root.count("/") - bool(root)):
        if not depends(tree, root, "@mikro-orm/postgresql"):
            continue
        config = _config(tree, root)
        directory = _directory(tree, root, config)
        if directory and directory not in taken:
            taken.add(directory)
            yield _unit(tree, root, directory, config, f"migrations for MikroORM in {directory}/")


def _config(tree: Tree, root: str) -> str:
    """The configuration that a script or package.json names, else one of the usual name; "" if none."""
    section = manifest(tree, root).get("mikro-orm")
    named = section.get("configPaths") if isinstance(section, Mapping) else None
    said = [option(calls(tree, root, "mikro-orm", "mikro-orm-esm"), "--config")]
    said += [path for path in named if isinstance(path, str)] if isinstance(named, list) else []
    for path in said:
        if path and join(root, path) in tree:
            return join(root, path)
    for path in tree.below(root):
        if CONFIG_NAME.fullmatch(path.rpartition("/")[2]) and not is_foreign(path):
            return path
    return ""


def _directory(tree: Tree, root: str, config: str) -> str:
    """What the configuration says about its migrations, as far as it holds any; else where they are."""
    text = "\n".join(expressions(code(tree.text(config)), "migrations"))
    said = [
        path
        for key in ("pathTs", "path")
        for expression in expressions(text, key)
        for path in paths(expression, here=parent(config), root=root)
    ]
    found = [d for d in said if any(MIGRATION.search(tree.text(path)) for path in files_in(tree, d))]
    return found[0] if found else _with_migrations(tree, root)


def _with_migrations(tree: Tree, root: str) -> str:
    for path in tree.below(root):
        if "migrat" in parent(path).lower() and path.endswith(SUFFIXES) and not is_foreign(path):
            if MIGRATION.search(tree.text(path)):
                return parent(path)
    return ""


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    return _unit(tree, root, migrations_dir, _config(tree, root), "[[systems]] in the settings")


def _unit(tree: Tree, root: str, directory: str, config: str, evidence: str) -> Unit:
    text = code(tree.text(config))
    block = "\n".join(expressions(text, "migrations"))
    return Unit(
        "mikroorm", root, directory, (evidence,),
        {
            "config": config,
            "table": literal(block, "tableName"),
            "schema": literal(text, "schema"),
        },
    )  # fmt: skip


def history(unit: Unit, tree: Tree) -> History:
    found = [path for path in files_in(tree, unit.migrations_dir) if MIGRATION.search(tree.text(path))]
    named = sorted((_without_suffix(path.rpartition("/")[2]), path) for path in found)
    return tuple(Migration(id, path, tree.oids[path]) for id, path in named)


def _without_suffix(name: str) -> str:
    return name.removesuffix(".js").removesuffix(".ts")


def apply(unit: Unit, pushed: History) -> Command:
    config = unit.options.get("config")
    return Command(
        ("mikro-orm", "migration:up"),
        "node",
        environment={
            **ADDRESS,
            "MIKRO_ORM_CLI_CONFIG": "{files}/" + WRAPPER,
            # These win over whatever a configuration says; the shadow of the schema is a file in the project.
            "MIKRO_ORM_CLIENT_URL": "{url_with_password}",
            "MIKRO_ORM_HOST": "{host}",
            "MIKRO_ORM_PORT": "{port}",
            "MIKRO_ORM_USER": "{user}",
            "MIKRO_ORM_PASSWORD": "{password}",
            "MIKRO_ORM_DB_NAME": "{database}",
            "MIKRO_ORM_MIGRATIONS_SNAPSHOT": "false",
            "NEON_HOOKS_ROOT": "{root}",
            "NEON_HOOKS_CONFIG": "{checkout}/" + config if config else "",
            "NEON_HOOKS_MIGRATIONS": "{checkout}/" + unit.migrations_dir,
        },
        files={LOADER_FILE: LOADER, WRAPPER: CONFIG, "package.json": '{"type": "commonjs"}'},
    )


def down(work: Work, tree: Tree) -> Command:
    return replace(apply(work.unit, work.pushed), argv=("mikro-orm", "migration:down"))


def compare(unit: Unit, tree: Tree) -> Comparison:
    """``schema:update --dump``: what MikroORM would do to the database to make it as the entities say."""
    return Comparison(
        replace(apply(unit, ()), argv=("mikro-orm", "schema:update", "--dump")),
        differs=r"(?i)^\s*(?:create|alter|drop|comment) ",
        difference=r"(?i)^\s*(?:create|alter|drop|comment) .*",
        nothing=r"No entities (?:were )?(?:found|discovered)",
        by_database=True,
    )


CONFIG = """\
"use strict";
// The project's own configuration, with the address of the test Neon database branch.
const fs = require("node:fs");
const path = require("node:path");
const { createRequire } = require("node:module");
const { load, typescript, address } = require("./neon_hooks_load.cjs");
const { NEON_HOOKS_CONFIG: file, NEON_HOOKS_ROOT: root, NEON_HOOKS_MIGRATIONS: directory } = process.env;

async function own(context) {
  if (!file) return createRequire(path.join(root, "package.json"))("@mikro-orm/postgresql").defineConfig({});
  const loaded = await load(file);
  const said = await (loaded.default ?? loaded);
  if (typeof said === "function") return said(context);
  const found = Array.isArray(said) ? said.find((each) => (each.contextName ?? "default") === context) : said;
  return typeof found === "function" ? found(context) : found;
}

module.exports = async (context) => {
  const isCode = fs.readdirSync(directory).find((name) => name.endsWith(".ts"));
  if (isCode) typescript(path.join(directory, isCode));
  const { replicas, preferReadReplicas, ...config } = await own(context);
  const { host, port, user, password, database, ssl } = address();
  const connection = { ...config.driverOptions?.connection, host, port, user, password, database, ssl };
  delete connection.connectionString;
  const place = { host, port, user, password, dbName: database };
  // Compiled files are not part of a commit: their sources are taken in their place.
  const sources = isCode ? { path: directory, pathTs: directory } : {};
  return {
    ...config, ...place,
    driverOptions: { ...config.driverOptions, connection },
    migrations: { ...config.migrations, ...sources, snapshot: false },
  };
};
"""


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(
        table=unit.options.get("table") or "mikro_orm_migrations",
        id_sql=r"regexp_replace(name, '\.[jt]s$', '')",
        schema=unit.options.get("schema") or None,
    )


SYSTEM = System(
    name="mikroorm", detect=detect, history=history, apply=apply, at=at, bookkeeping=bookkeeping, same=same_js,
    down=down, down_one=True, number=id_as_number, downs=within(function()), compare=compare,
)  # fmt: skip
