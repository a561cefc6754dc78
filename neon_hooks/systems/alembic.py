"""Alembic, with or without Flask-Migrate.

Facts: https://alembic.sqlalchemy.org/en/latest/tutorial.html (alembic.ini, pyproject.toml),
/branches.html (heads, depends_on), https://flask-migrate.readthedocs.io (``flask db``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from neon_hooks.plan import Bookkeeping, Command, Comparison, Migration, Proof, Unit, Work
from neon_hooks.systems.alembic_config import Location, environment_options, locations
from neon_hooks.systems.base import History, Ids, System, ancestors, foundation, heads, ids, in_order
from neon_hooks.systems.places import relative
from neon_hooks.systems.pycode import module_values, same_code, texts
from neon_hooks.systems.pysql import of_alembic
from neon_hooks.systems.waysback import python, within
from neon_hooks.tree import Tree, join

VARIABLES = frozenset({"revision", "down_revision", "depends_on", "branch_labels"})
# What Alembic itself takes for a revision file: not `__init__.py`, not an editor's lock.
REVISION_FILE = re.compile(r"(?!\.#|__init__)[^/]+\.py")
GENERATED_INI = "neon_hooks_alembic.ini"


def detect(tree: Tree) -> Iterable[Unit]:
    return [_unit(tree, location) for location in locations(tree)]


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    found = next((place for place in locations(tree) if place.script_dir == migrations_dir), None)
    return _unit(tree, found or Location(root, migrations_dir, "[[systems]] in the settings"))


def _unit(tree: Tree, place: Location) -> Unit:
    versions = place.versions or (join(place.script_dir, "versions"),)
    return Unit(
        system="alembic",
        root=place.root,
        migrations_dir=place.script_dir,
        evidence=(place.evidence,),
        options={
            "ini": place.ini,
            "section": place.section,
            "recursive": "true" if place.recursive else "",
            "versions": "\n".join(versions),
            **environment_options(tree, place),
        },
    )


def history(unit: Unit, tree: Tree) -> History:
    default = join(unit.migrations_dir, "versions")
    directories = unit.options.get("versions", default).split("\n")
    paths = sorted({path for directory in directories for path in _revision_files(unit, tree, directory)})
    found = [(path, module_values(tree.content(path), VARIABLES)) for path in paths]
    known = [(path, values, texts(values.get("revision"))) for path, values in found]
    labels = {
        label: revision[0]
        for _, values, revision in known
        for label in texts(values.get("branch_labels"))
        if revision
    }
    return in_order(
        Migration(revision[0], path, tree.oids[path], _parents(values, labels))
        for path, values, revision in known
        if revision
    )


def _revision_files(unit: Unit, tree: Tree, directory: str) -> Iterable[str]:
    for path in tree.below(directory):
        name = path.removeprefix(directory + "/") if directory else path
        if "/" in name and not unit.options.get("recursive"):
            continue
        if REVISION_FILE.fullmatch(name.rpartition("/")[2]):
            yield path


def _parents(values: Mapping[str, object], labels: Mapping[str, str]) -> tuple[str, ...]:
    before = texts(values.get("down_revision")) + texts(values.get("depends_on"))
    return tuple(dict.fromkeys(labels.get(name, name) for name in before))


def apply(unit: Unit, pushed: History) -> Command:
    if unit.options.get("flask"):
        return _flask_migrate(unit)
    ini = unit.options.get("ini", "")
    files = (
        {}
        if ini
        else {GENERATED_INI: INI.format(relative(unit.migrations_dir, unit.root).replace("%", "%%"))}
    )
    section = unit.options.get("section") or "alembic"
    argv = (
        *("python", "-m", "alembic"),
        *("-c", relative(ini, unit.root) if ini else "{files}/" + GENERATED_INI),
        *(("-n", section) if section != "alembic" else ()),
        *("upgrade", "heads"),
    )
    return Command(argv, "python", module="alembic", files=files)


def _flask_migrate(unit: Unit) -> Command:
    app = unit.options.get("flask_app")
    return Command(
        (
            "python",
            "-m",
            "flask",
            "db",
            "upgrade",
            "--directory",
            relative(unit.migrations_dir, unit.root),
            "heads",
        ),
        "python",
        module="flask_migrate",
        environment={"FLASK_APP": app} if app else {},
    )


def down(work: Work, tree: Tree) -> Command | None:
    """To the revision below; not with several heads or parents, where "below" is a matter of words."""
    target = foundation(work)
    if target is None or len(heads(work.history)) > 1 or any(len(m.parents) > 1 for m in work.pushed):
        return None
    up = apply(work.unit, work.pushed)
    argv = ["downgrade" if word == "upgrade" else word for word in up.argv[:-1]]
    return replace(up, argv=(*argv, target or "base"))


def compare(unit: Unit, tree: Tree) -> Comparison:
    """``alembic check`` (1.9): the models against the database, which must be at the newest revision."""
    up = apply(unit, ())
    return Comparison(
        replace(up, argv=tuple("check" if word == "upgrade" else word for word in up.argv[:-1])),
        differs=r"New upgrade operations detected",
        difference=r"\(['\"](?:add|remove|modify)_\w+['\"],.*?(?=,? ?[\[(]*\(['\"](?:add|remove|modify)_|\]*\s*$)",
        nothing=r"does not provide a MetaData object",
        by_database=True,
    )


# Logging sections, because the env.py of Alembic's template hands the file to logging.config.fileConfig.
INI = """\
[alembic]
script_location = {}
prepend_sys_path = .
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = INFO
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(levelname)s [%(name)s] %(message)s
"""


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(
        table=unit.options.get("version_table") or "alembic_version",
        id_sql="version_num::text",
        schema=unit.options.get("version_table_schema") or None,
    )


def prove(before: Ids, after: Ids, history: History, pushed: History) -> Proof:
    """The table holds heads only: they must be the tree's heads.

    A row that the tree does not know and that was there before is somebody else's (``System.unknown``).
    """
    missing = ids(history) - ancestors(after, history)
    return Proof(missing=missing, unexpected=after - heads(history) - (before - ids(history)))


SYSTEM = System(
    name="alembic",
    detect=detect,
    history=history,
    apply=apply,
    down=down,
    at=at,
    default_dir="alembic",
    bookkeeping=bookkeeping,
    same=same_code,
    applied=ancestors,
    prove=prove,
    is_graph=True,
    written=lambda unit, tree, migration: of_alembic(tree, migration),
    downs=within(python("upgrade", "downgrade")),
    compare=compare,
)
