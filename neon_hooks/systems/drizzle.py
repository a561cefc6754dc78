"""Drizzle: folders with a journal (drizzle-kit up to 0.x), or one folder for each migration (1.0).

Facts: https://orm.drizzle.team/docs/drizzle-config-file, /docs/drizzle-kit-migrate, and migrator.js and
dialect.js of drizzle-orm: with a journal only entries that are younger than the youngest row are run, in
the journal's order and all in one transaction; from 1.0 on, every folder whose name is not recorded.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import re
import time
from collections.abc import Iterable, Sequence

from neon_hooks.plan import Bookkeeping, Command, Comparison, Migration, Proof, Replayed, Unit
from neon_hooks.systems.base import History, Ids, System, any_line_ends, ids
from neon_hooks.systems.drizzle_config import JOURNAL, Location, locations
from neon_hooks.systems.places import relative
from neon_hooks.tree import Tree, join, parent

FOLDER = re.compile(r"(\d{14})[^/]*/migration\.sql")  # 20260131235959_name/migration.sql
# Before 1.0 a row has no name. created_at is the journal's `when`, in 1.0 the second of the folder's name.
ROW = "coalesce(to_jsonb(entry) ->> 'name', created_at::text)"


def detect(tree: Tree) -> Iterable[Unit]:
    return [_unit(place) for place in locations(tree)]


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    found = next((place for place in locations(tree) if place.out == migrations_dir), None)
    return _unit(found or Location(root, migrations_dir, "[[systems]] in the settings"))


def _unit(place: Location) -> Unit:
    options = {"config": place.config, "json": place.json, "table": place.table, "schema": place.schema}
    return Unit(
        system="drizzle",
        root=place.root,
        migrations_dir=place.out,
        evidence=(place.evidence,),
        options={key: value for key, value in options.items() if value},
    )


def history(unit: Unit, tree: Tree) -> History:
    """In the order of the journal; entries without a file are left to drizzle-kit's own words."""
    if join(unit.migrations_dir, JOURNAL) in tree:
        return _journal(unit, tree)
    prefix = unit.migrations_dir + "/" if unit.migrations_dir else ""
    names = sorted(path.removeprefix(prefix) for path in tree.below(unit.migrations_dir))
    found = [(match, name) for name in names if (match := FOLDER.fullmatch(name))]
    return tuple(
        Migration(parent(name), prefix + name, tree.oids[prefix + name], row=_milliseconds(match[1]))
        for match, name in found
    )


def _journal(unit: Unit, tree: Tree) -> History:
    try:
        entries = json.loads(tree.text(join(unit.migrations_dir, JOURNAL)))["entries"]
        listed = [(str(entry["tag"]), int(entry["when"])) for entry in entries]
    except (ValueError, KeyError, TypeError):
        return ()
    placed = [(tag, str(when), join(unit.migrations_dir, f"{tag}.sql")) for tag, when in listed]
    return tuple(Migration(tag, path, tree.oids[path], row=row) for tag, row, path in placed if path in tree)


def _milliseconds(stamp: str) -> str:
    try:
        return f"{calendar.timegm(time.strptime(stamp, '%Y%m%d%H%M%S'))}000"
    except ValueError:
        return ""


def number(migration: Migration) -> str:
    return migration.id if migration.path.endswith("/migration.sql") else migration.row


def watch(unit: Unit) -> Iterable[str]:
    """The journal says what is run and in which order: a push may change it alone."""
    return (join(unit.migrations_dir, JOURNAL),)


# Imports the project's configuration, whatever its dialect of JavaScript, and changes only the address.
OVERRIDE = """\
import * as imported from {config};
let project: any = imported;
for (let depth = 0; project.default && depth < 3; depth++) project = project.default;
export default {{ ...project, driver: undefined, dbCredentials: {{ url: "{{url_with_password}}" }} }};
"""


def apply(unit: Unit, pushed: History) -> Command:
    config = unit.options.get("config", "")
    if config and not config.endswith(".json"):
        name = "drizzle.config.ts"
        text = OVERRIDE.format(config=json.dumps("{checkout}/" + config, ensure_ascii=False))
    else:
        name = "drizzle.config.json"
        plain = {"dialect": "postgresql", "out": relative(unit.migrations_dir, unit.root)}
        project = json.loads(unit.options.get("json", "null")) or plain
        project.pop("driver", None)
        text = json.dumps({**project, "dbCredentials": {"url": "{url_with_password}"}})
    return Command(("drizzle-kit", "migrate", "--config", "{files}/" + name), "node", files={name: text})


# ``generate`` writes what is missing next to the migrations: into a copy, which is gone with this file.
COMPARE = """\
import {{ cpSync, existsSync, mkdirSync, readdirSync, readFileSync }} from "node:fs";
import {{ join }} from "node:path";
{project}
const [out, copy] = [{out}, {copy}];
mkdirSync(copy, {{ recursive: true }});
if (existsSync(out)) cpSync(out, copy, {{ recursive: true }});
const files = () => (readdirSync(copy, {{ recursive: true }}) as string[]).map(String);
if (!files().some((name) => name.endsWith("snapshot.json"))) {{
  console.log("neon-hooks: no snapshots");
  process.exit(0);
}}
process.on("exit", () => {{
  for (const name of files().filter((each) => /neon_hooks_drift.*\\.sql$/.test(each)))
    for (const statement of readFileSync(join(copy, name), "utf8").split("--> statement-breakpoint"))
      console.log("neon-hooks: differs: " + statement.trim().replace(/\\s+/g, " "));
}});
export default {{ ...project, driver: undefined, out: copy, dbCredentials: {{ url: "{{url_with_password}}" }} }};
"""
IMPORTED = """\
import * as imported from {config};
let project: any = imported;
for (let depth = 0; project.default && depth < 3; depth++) project = project.default;
"""


def compare(unit: Unit, tree: Tree) -> Comparison | None:
    """``generate`` in a copy: a new file is what the schema has and the newest snapshot has not."""
    config, given = unit.options.get("config", ""), unit.options.get("json", "")
    if not config and not given:
        return None
    imported = IMPORTED.format(config=json.dumps("{checkout}/" + config, ensure_ascii=False))
    text = COMPARE.format(
        project=f"const project: any = {given};" if given else imported,
        out=json.dumps("{checkout}/" + unit.migrations_dir, ensure_ascii=False),
        copy=json.dumps("{files}/drizzle"),
    )
    name = "drizzle.config.ts"
    argv = ("drizzle-kit", "generate", "--name", "neon_hooks_drift", "--config", "{files}/" + name)
    return Comparison(
        Command(argv, "node", files={name: text}),
        differs=r"^neon-hooks: differs: |prompts require a TTY",
        difference=r"(?<=^neon-hooks: differs: ).*|.*prompts require a TTY.*",
        nothing=r"^neon-hooks: no snapshots",
    )


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(
        table=unit.options.get("table") or "__drizzle_migrations",
        id_sql=ROW,
        schema=unit.options.get("schema") or "drizzle",
        checksum_sql="hash",
    )


def _explains(migration: Migration, row: str) -> bool:
    """Whether a row is this migration's: by name, or by time where it has none.

    A folder's name has seconds; a table that 1.0 has not upgraded yet keeps the journal's milliseconds.
    """
    if row in (migration.id, migration.row):
        return True
    return migration.path.endswith("/migration.sql") and bool(row) and f"{row[:-3]}000" == migration.row


def applied(rows: Ids, history: History) -> Ids:
    return frozenset(m.id for m in history if any(_explains(m, row) for row in rows))


def unknown(rows: Ids, history: History) -> Ids:
    return frozenset(row for row in rows if not any(_explains(m, row) for m in history))


def skipped(unit: Unit, rows: Ids, history: History, pushed: History) -> Ids:
    """Entries of the journal that are not applied and never will be: the youngest row is not older."""
    youngest = max((int(row) for row in rows if row.isdigit()), default=None)
    if youngest is None or any(m.path.endswith("/migration.sql") for m in history):
        return frozenset()
    return frozenset(m.id for m in history if int(m.row) <= youngest) - applied(rows, history)


def prove(before: Ids, after: Ids, history: History, pushed: History) -> Proof:
    """Rows may change their form (1.0 adds names), so migrations are compared."""
    missing = ids(history) - applied(after, history)
    return Proof(missing=missing, unexpected=unknown(after, history) - before)


def checksums(tree: Tree, migration: Migration) -> Iterable[str]:
    return (hashlib.sha256(each).hexdigest() for each in any_line_ends(tree.content(migration.path)))


def replay(unit: Unit, tree: Tree, pending: History) -> Sequence[Replayed]:
    """Our own run of the files, recorded as drizzle-orm does."""
    kept = bookkeeping(unit)
    table = f"{_quoted(kept.schema or 'drizzle')}.{_quoted(kept.table)}"
    setup = (
        f"CREATE SCHEMA IF NOT EXISTS {_quoted(kept.schema or 'drizzle')};\n"
        f"CREATE TABLE IF NOT EXISTS {table}"
        " (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint);\n"
    )
    in_folders = join(unit.migrations_dir, JOURNAL) not in tree
    if in_folders:
        setup += _upgrade(table, history(unit, tree))
    found = []
    for migration in pending:
        text = tree.content(migration.path)
        values = {"hash": f"'{hashlib.sha256(text).hexdigest()}'", "created_at": migration.row or "NULL"}
        if in_folders:
            values["name"] = _literal(migration.id)
        record = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"
        found.append(
            Replayed(
                migration.id, migration.path, text.decode("utf-8", "replace"),
                transaction=True, setup=setup, record=record,
            )
        )  # fmt: skip
    return found


def _upgrade(table: str, history: History) -> str:
    """The names that 1.0 gives to the rows of an older table, found by the second (up-migrations/pg.js)."""
    names = [
        f"UPDATE {table} SET name = {_literal(m.id)}"
        f" WHERE name IS NULL AND created_at / 1000 * 1000 = {m.row};\n"
        for m in history
        if m.row
    ]
    return (
        f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS name text;\n"
        f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS applied_at timestamp with time zone DEFAULT now();\n"
        + "".join(names)
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


SYSTEM = System(
    name="drizzle",
    detect=detect,
    history=history,
    apply=apply,
    at=at,
    default_dir="drizzle",
    bookkeeping=bookkeeping,
    applied=applied,
    prove=prove,
    unknown=unknown,
    number=number,
    checksums=checksums,
    skipped=skipped,
    watch=watch,
    replay=replay,
    compare=compare,
    no_way_back=True,
)
