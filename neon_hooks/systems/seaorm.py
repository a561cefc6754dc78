"""SeaORM: migrations in Rust, a crate of their own, which is their command line as well.

Facts: https://www.sea-ql.org/SeaORM/docs/migration/running-migration/. ``sea-orm-cli migrate`` does nothing
but start this crate, so the crate is started here, with what Cargo has downloaded already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from neon_hooks.plan import Bookkeeping, Command, Migration, Unit, Work
from neon_hooks.systems.base import History, System
from neon_hooks.systems.places import own
from neon_hooks.systems.waysback import rust, within
from neon_hooks.tree import Tree, join, parent

TABLE = "seaql_migrations"
DEPENDENCY = re.compile(r"^\s*(?:sea-orm-migration\s*[=.]|\[dependencies\.sea-orm-migration\])", re.MULTILINE)
OTHER_DATABASE = re.compile(r"\bsqlx-(?:sqlite|mysql)\b")
# One entry of `vec![Box::new(m20240101_000000_name::Migration), ...]`.
LISTED = re.compile(r"Box::new\(\s*(?:[\w:]+::)?(?P<name>\w+)::Migration\b")
COMMENT = re.compile(r"//[^\n]*")
COMMENT_LINE = re.compile(r"^\s*//[^\n]*$", re.MULTILINE)


def detect(tree: Tree) -> Iterable[Unit]:
    for manifest in own(tree.named("Cargo.toml")):
        text = tree.text(manifest)
        if not DEPENDENCY.search(text) or (OTHER_DATABASE.search(text) and "sqlx-postgres" not in text):
            continue
        crate = parent(manifest)
        if join(crate, "src/lib.rs") in tree and history(at(tree, crate, join(crate, "src")), tree):
            yield Unit("seaorm", crate, join(crate, "src"), (f"{manifest} names sea-orm-migration",))


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    return Unit("seaorm", root, migrations_dir, ("[[systems]] in the settings",))


def history(unit: Unit, tree: Tree) -> History:
    """In the order of the list in lib.rs; the id is the module's name."""
    text = COMMENT.sub("", tree.text(join(unit.migrations_dir, "lib.rs")))
    listed = [(name, _file(unit, tree, name)) for name in LISTED.findall(text)]
    return tuple(Migration(name, path, tree.oids[path]) for name, path in listed if path)


def _file(unit: Unit, tree: Tree, module: str) -> str:
    paths = (join(unit.migrations_dir, f"{module}{end}") for end in (".rs", "/mod.rs"))
    return next((path for path in paths if path in tree), "")


def apply(unit: Unit, pushed: History) -> Command:
    return Command(
        (
            *("cargo", "run", "--quiet", "--locked", "--manifest-path", "Cargo.toml"),
            *("--", "--database-url", "{url}", "up"),
        ),
        "native",
        environment={"CARGO_NET_OFFLINE": "true", "DATABASE_URL": "{url_with_password}"},
        url_schemes=("postgres",),
    )


def down(work: Work, tree: Tree) -> Command:
    up = apply(work.unit, work.pushed)
    return replace(up, argv=(*up.argv[:-1], "down", "--num", str(len(work.pushed))))


def same(before: bytes, after: bytes) -> bool:
    """SeaORM keeps no checksum: a line that is a comment changes nothing."""
    one, other = (COMMENT_LINE.sub("", content.decode("utf-8", "replace")) for content in (before, after))
    return one.split() == other.split()


SYSTEM = System(
    name="seaorm", detect=detect, history=history, apply=apply, at=at, default_dir="migration/src",
    bookkeeping=lambda unit: Bookkeeping(TABLE, "version"),
    watch=lambda unit: (join(unit.migrations_dir, "lib.rs"),), same=same, down=down,
    # No number: the list in lib.rs orders them.
    downs=within(rust),
)  # fmt: skip
