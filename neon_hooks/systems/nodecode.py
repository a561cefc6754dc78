"""JavaScript that is put into the private directory of a Node tool. Text; it runs in the project's Node.

A generated configuration takes the project's own one and replaces the address in it, so that everything
else (directories, table names, hooks) stays as it is in production.
"""

from __future__ import annotations

from neon_hooks.errors import UsageError
from neon_hooks.plan import Unit

LOADER_FILE = "neon_hooks_load.cjs"
# `require` first: it shares the project's own copies of its packages with whoever loads us.
LOADER = """\
"use strict";
// Loads a file of the project, in whichever language and module system it is written.
const fs = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const TSX = (from) => { from("tsx/cjs/api").register(); from("tsx/esm/api").register(); };
// Entities tell their types by decorators, which tsx, esbuild and sucrase leave out.
const WITH_TYPES = [
  (from) => {
    process.env.TS_NODE_COMPILER_OPTIONS ??= '{"module":"commonjs"}';
    from("ts-node/register/transpile-only");
  },
  (from) => from("@swc-node/register"),
];
const WITHOUT = [(from) => from("esbuild-register"), (from) => from("sucrase/register")];
const NOT_COMMON = /^ERR_(REQUIRE_ESM|REQUIRE_ASYNC_MODULE|UNKNOWN_FILE_EXTENSION)/;

function isModule(file) {
  for (let at = path.dirname(file); at !== path.dirname(at); at = path.dirname(at)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(at, "package.json"), "utf8")).type === "module";
    } catch { /* further up */ }
  }
  return false;
}

function tries(from, loaders) {
  return loaders.some((register) => {
    try { register(from); return true; } catch { return false; /* not installed */ }
  });
}

function understandTypeScript(file) {
  if (require.extensions[".ts"]) return; // the program that loads us has seen to it
  const from = createRequire(file);
  const [first, second] = isModule(file) ? [[TSX], WITH_TYPES] : [WITH_TYPES, [TSX]];
  if (tries(from, [...first, ...second, ...WITHOUT])) tries(from, [() => from("tsconfig-paths/register")]);
}

exports.typescript = understandTypeScript;

exports.load = async (file) => {
  if (/ts$/.test(file)) understandTypeScript(file);
  try {
    return createRequire(file)(file);
  } catch (error) {
    if (!NOT_COMMON.test(error.code) && !(error instanceof SyntaxError)) throw error;
    return import(pathToFileURL(file).href);
  }
};

// The address of the test Neon database branch, for whom wants its parts.
exports.address = () => {
  const url = new URL(process.env.NEON_HOOKS_URL);
  const tls = url.searchParams.get("sslmode");
  return {
    url: url.href,
    host: url.hostname.replace(/^\\[(.*)\\]$/, "$1"),
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    ssl: ["require", "verify-ca", "verify-full"].includes(tls), // true: with a check of the certificate
  };
};
"""
ADDRESS = {"NEON_HOOKS_URL": "{url_with_password}"}


def refuse_own_runner(unit: Unit) -> None:
    """Raises UsageError where a program of the project's own runs the migrations: only people know how."""
    if unit.options.get("runner"):
        raise UsageError(
            f"{unit.options['runner']} shows that a program of the project's own runs the migrations of"
            f" {unit.migrations_dir}/ with {unit.system}",
            fix="say how it is started: `command` of the [[systems]] entry, and `table` and `id` where its"
            " bookkeeping is not the usual one",
        )
