"""Prisma Migrate, versions 5 to 7.

Facts: https://www.prisma.io/docs/orm/prisma-migrate (deploy, status, resolve),
/docs/orm/reference/error-reference#schema-engine-errors (P3005, P3009, P3018), and the engine's
_prisma_migrations table. A file is sent as one script, which Postgres runs as one transaction.

The engine that talks to Postgres is a native program, into which no driver shim can be loaded. So the
address is replaced where Prisma reads it: in its configuration file, or in the variables that the
datasource names; an address that is written into the schema is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

from neon_hooks.errors import UsageError
from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Bookkeeping, Command, Comparison, Migration, Refusal, Replayed, Unit
from neon_hooks.systems.base import History, System, any_line_ends
from neon_hooks.systems.packagejson import versions
from neon_hooks.systems.places import relative
from neon_hooks.systems.prisma_project import Location, located, locations
from neon_hooks.tree import Tree, join

WRAPPER = "prisma.config.mjs"


def detect(tree: Tree) -> Iterable[Unit]:
    return [_unit(place) for place in locations(tree)]


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    return _unit(located(tree, migrations_dir))


def _unit(place: Location) -> Unit:
    options = {
        "config": place.config,
        "schema": "" if place.default_schema else place.schema,
        "models": place.schema,
        "variables": " ".join(place.variables),
        "literal": place.schema if place.literal else "",
        "db_schema": place.db_schema,
        "push": place.push,
        "files": "\n".join(place.files),
    }
    return Unit(
        "prisma", place.root, place.migrations_dir, (place.evidence,),
        {key: value for key, value in options.items() if value},
    )  # fmt: skip


def history(unit: Unit, tree: Tree) -> History:
    """Directories with a migration.sql, in the order of their names."""
    if unit.options.get("push"):
        return _models(unit, tree)
    prefix = unit.migrations_dir + "/" if unit.migrations_dir else ""
    names = [path.removeprefix(prefix) for path in tree.below(unit.migrations_dir)]
    found = sorted(name.partition("/")[0] for name in names if re.fullmatch(r"[^/]+/migration\.sql", name))
    paths = {name: f"{prefix}{name}/migration.sql" for name in found}
    return tuple(Migration(name, path, tree.oids[path]) for name, path in paths.items())


def _models(unit: Unit, tree: Tree) -> History:
    """Of ``prisma db push``: each state of the models is a migration, which stands for all before it."""
    files = [path for path in unit.options.get("files", "").split("\n") if path in tree]
    text = " ".join(NO_MODEL.sub("", tree.text(path)) for path in files)
    if not files:
        return ()
    digest = hashlib.sha256(" ".join(text.split()).encode()).hexdigest()
    id = f"{files[0].rpartition('/')[2]} {digest[:12]}"
    return (Migration(id, files[0], digest, replaces=(id,)),)


NO_MODEL = re.compile(r"^\s*//[^\n]*$|^\s*generator\s+\w+\s*\{.*?^\s*\}", re.DOTALL | re.MULTILINE)


# Loads the project's configuration as Prisma does (relative paths come out absolute), and changes only
# the address. A schema that it does not name lies beside it, not beside this file. What the configuration did to the environment while it was loaded is overwritten again.
WRAPPED = """\
import {{ existsSync }} from "node:fs";
import {{ createRequire }} from "node:module";
const project = createRequire({root} + "/package.json");
const prisma = createRequire(project.resolve("prisma/package.json"));
const {{ defineConfig, loadConfigFromFile }} = prisma("@prisma/config");
const {{ config, error }} = await loadConfigFromFile({{ configFile: {config}, configRoot: {root} }});
if (error) throw error.error ?? new Error(error._tag);
const {{ loadedFromFile, deprecatedPackageJson, ...found }} = config;
if (found.adapter || found.migrate?.adapter || found.engine === "js")
  throw new Error("neon-hooks: a driver adapter in Prisma's configuration connects where it wants");
const target = new URL("{{url_with_password}}");
target.searchParams.set("connect_timeout", "15");
const names = {variables};
for (const given of [found.datasource?.url, ...names.map((name) => process.env[name])]) {{
  const schema = URL.canParse(given ?? "") && new URL(given).searchParams.get("schema");
  if (schema) target.searchParams.set("schema", schema);
}}
const url = target.href;
for (const name of names) process.env[name] = url;
const usual = ["/schema.prisma", "/prisma/schema.prisma"].map((path) => {root} + path);
const schema = found.schema ?? usual.find((path) => existsSync(path));
export default defineConfig({{ ...found, ...(schema && {{ schema }}), ...(found.datasource && {{ datasource: {{ url }} }}) }});
"""


def apply(unit: Unit, pushed: History) -> Command:
    push = unit.options.get("push", "")
    if not push:
        return command(unit, "migrate", "deploy")
    return command(unit, "db", "push", *(flag for flag in PUSH_FLAGS if flag in push.split()))


# What the project itself says when it deploys. --force-reset is no deployment.
PUSH_FLAGS = ("--accept-data-loss", "--skip-generate")


def finished(output: str, changed: bool) -> bool:
    """``prisma db push`` ends without error when its engine dies; this is what it says at its end."""
    return "already in sync" in output or (changed and "now in sync" in output)


def command(unit: Unit, *words: str) -> Command:
    """``prisma WORDS`` with its address replaced. Raises UsageError for one that stands in the schema."""
    literal = unit.options.get("literal", "")
    if literal:
        raise UsageError(
            f"{literal}: the address of a database is written into the datasource, where nothing can"
            " replace it",
            fix='write `url = env("DATABASE_URL")`, and the address into .env',
        )
    config = unit.options.get("config", "")
    schema = unit.options.get("schema", "")
    address = "{url_with_password}&connect_timeout=15"
    if unit.options.get("db_schema"):
        address += f"&schema={unit.options['db_schema']}"
    variables = unit.options.get("variables", "").split()
    environment = {
        "PRISMA_HIDE_UPDATE_MESSAGE": "1",
        "CHECKPOINT_DISABLE": "1",  # no telemetry, and no wait for it
        **dict.fromkeys(("DATABASE_URL", "DIRECT_URL", *variables), address),
    }
    return Command(
        (
            *("prisma", *words),
            *(("--config", "{files}/" + WRAPPER) if config else ()),
            *(("--schema", relative(schema, unit.root)) if schema and not config else ()),
        ),
        "node",
        environment=environment,
        files={WRAPPER: _wrapper(config, variables)} if config else {},
    )


def _wrapper(config: str, variables: Sequence[str]) -> str:
    return WRAPPED.format(
        root=json.dumps("{root}"), config=json.dumps("{checkout}/" + config, ensure_ascii=False),
        variables=json.dumps(list(dict.fromkeys(("DATABASE_URL", "DIRECT_URL", *variables)))),
    )  # fmt: skip


def compare(unit: Unit, tree: Tree) -> Comparison | None:
    """``migrate diff``: the schema against the database, which all migrations have been applied to."""
    schema = unit.options.get("models", "")
    if unit.options.get("push") or unit.options.get("literal") or not schema:
        return None
    path = relative(schema, unit.root)
    major = re.search(r"\d+", versions(tree, unit.root).get("prisma", ""))
    words: tuple[str, ...]
    if int(major[0]) >= 7 if major else bool(unit.options.get("config")):
        words = ("--from-config-datasource", "--to-schema", path)
    else:
        words = ("--from-schema-datasource", path, "--to-schema-datamodel", path)
    plain = replace(unit, options={key: value for key, value in unit.options.items() if key != "schema"})
    return Comparison(
        command(plain, "migrate", "diff", *words, "--exit-code"),
        differs=r"^\s*\[[-+*]\] ",
        difference=r"^\s*\[[-+*]\] .*",
        heading=r"^\[\*\] Changed the .*",
        by_database=True,
    )


def bookkeeping(unit: Unit) -> Bookkeeping | None:
    """``db push`` keeps none.

    A row is written before the file is run; only one that was finished, and not given up, counts.
    """
    if unit.options.get("push"):
        return None
    return Bookkeeping(
        table="_prisma_migrations",
        id_sql="case when finished_at is not null and rolled_back_at is null then migration_name end",
        schema=unit.options.get("db_schema") or None,
        begins=True,
        checksum_sql="checksum",
    )


def refusals(unit: Unit) -> Iterable[Refusal]:
    """P3009: a row that was begun, and neither finished nor given up."""
    if not unit.options.get("push"):
        yield Refusal(
            "_prisma_migrations",
            "case when finished_at is null and rolled_back_at is null then migration_name end",
            "`prisma migrate resolve --rolled-back {name}`, or `--applied {name}`",
            schema=unit.options.get("db_schema") or None,
        )


DB_ERROR = re.compile(r"DbError \{.*", re.DOTALL)
QUOTED = r'"((?:[^"\\]|\\.)*)"'
STATES = {
    "P3005": "the database has tables but no _prisma_migrations: baseline it first (prisma migrate resolve"
    " --applied NAME, for each migration that it already has), or deploy it with prisma db push as before",
    "P3009": "the main Neon database branch records a migration that failed: mend it there, and say so with"
    " prisma migrate resolve --rolled-back NAME (or --applied NAME); until then no deployment works",
    "P3015": "restore the migration.sql that is missing, or delete its directory",
    "P3019": "the provider of migration_lock.toml and that of the schema must be the same",
}


def explain(output: str) -> DatabaseError | None:
    """What Prisma printed: Postgres' own words (P3018), or a state in which it refuses to work."""
    text = re.sub(r"\x1b\[[\d;]*m", "", output)
    state = next((code for code in STATES if re.search(rf"\b{code}\b", text)), "")
    sqlstate = re.search(r"^Database error code: (\w{5})", text, re.MULTILINE)
    if sqlstate:
        return _postgres_words(sqlstate[1], text)
    return DatabaseError("", f"{state}: {_paragraph(text, state)}", hint=STATES[state]) if state else None


def _postgres_words(sqlstate: str, text: str) -> DatabaseError:
    debug = DB_ERROR.search(text)
    dump = debug[0] if debug else ""
    position = re.search(r"\bposition: Some\(Original\((\d+)\)\)", dump)
    return DatabaseError(
        sqlstate=sqlstate,
        message=_field(dump, "message") or _labelled(text, "ERROR"),
        detail=_field(dump, "detail") or _labelled(text, "DETAIL"),
        hint=_field(dump, "hint") or _labelled(text, "HINT"),
        context=_field(dump, "where_"),
        position=int(position[1]) if position else 0,
    )


def _field(dump: str, name: str) -> str:
    """A field of Rust's debug form: ``name: "text"`` or ``name: Some("text")``."""
    match = re.search(rf"\b{name}: (?:Some\()?{QUOTED}", dump)
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), match[1]) if match else ""


def _labelled(text: str, label: str) -> str:
    match = re.search(rf"^{label}: (.*)$", text, re.MULTILINE)
    return match[1].strip() if match else ""


def _paragraph(text: str, state: str) -> str:
    after = text.partition(state)[2].strip()
    return " ".join(after.split("\n\n")[0].split())


SETUP = """\
CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0
)"""
RECORD = (
    "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)"
    " VALUES ('{id}', '{checksum}', now(), '{name}', 1)"
)


def replay(unit: Unit, tree: Tree, pending: History) -> Sequence[Replayed]:
    """Each file as one script, which is how the engine sends it; the checksum is that of its bytes."""
    if unit.options.get("push"):
        return ()
    prefix = f"SET search_path TO \"{unit.options['db_schema']}\";\n" if unit.options.get("db_schema") else ""
    return [
        Replayed(
            migration.id, migration.path, tree.text(migration.path), implicit=True, setup=prefix + SETUP,
            record=RECORD.format(
                id=uuid.uuid5(uuid.NAMESPACE_URL, f"{migration.id}:{migration.oid}"),
                checksum=hashlib.sha256(tree.content(migration.path)).hexdigest(),
                name=migration.id.replace("'", "''"),
            ),
        )
        for migration in pending
    ]  # fmt: skip


def checksums(tree: Tree, migration: Migration) -> Iterable[str]:
    return (hashlib.sha256(each).hexdigest() for each in any_line_ends(tree.content(migration.path)))


def number(migration: Migration) -> str:
    """The whole name: two with one timestamp are no mistake."""
    return "" if migration.replaces else migration.id


def watch(unit: Unit) -> Iterable[str]:
    return (join(unit.migrations_dir, "migration_lock.toml"), *unit.options.get("files", "").split("\n"))


SYSTEM = System(
    name="prisma", detect=detect, history=history, apply=apply, at=at, default_dir="prisma/migrations",
    bookkeeping=bookkeeping, explain=explain, replay=replay,
    watch=watch, finished=finished, number=number, checksums=checksums,
    compare=compare, refusals=refusals, no_way_back=True,
)  # fmt: skip
