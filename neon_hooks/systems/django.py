"""Django: manage.py and its apps' migrations.

Facts: https://docs.djangoproject.com/en/5.2/topics/migrations/ and /ref/django-admin/#migrate; a squashed
migration is recorded together with what it replaces (django/db/migrations/executor.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from neon_hooks.plan import Bookkeeping, Command, Comparison, Migration, Proof, Unit, Work
from neon_hooks.systems.base import History, Ids, System, foundation, in_order, rows_without_a_file
from neon_hooks.systems.django_project import (
    app_label,
    is_clearly_not_postgres,
    migration_modules,
    settings_module,
)
from neon_hooks.systems.django_settings import SETTINGS_WRAPPER
from neon_hooks.systems.places import by_directory, own
from neon_hooks.systems.pycode import same_code
from neon_hooks.systems.pysql import of_django
from neon_hooks.systems.waysback import calls, within
from neon_hooks.tree import Tree, inside, join, parent

MARKER = re.compile(rb"^class Migration\(", re.MULTILINE)
PAIR = re.compile(r"""\(\s*["']([^"'\s]+)["']\s*,\s*["']([^"'\s]+)["']\s*,?\s*\)""")
BRACKET = re.compile(r"[\[\](){}]")
# What may change in an applied migration without a change to any database: only the graph reads it.
# What Django cannot reverse by itself: the operation, and the argument that says how (the second).
HAND_WRITTEN = {name: calls(frozenset({name}), keyword) for name, keyword in (
    ("RunPython", "reverse_code"), ("RunSQL", "reverse_sql"),
)}  # fmt: skip
GRAPH = frozenset({"dependencies", "run_before", "replaces", "initial"})
WRAPPER = "neon_hooks_django_settings"


def detect(tree: Tree) -> Iterable[Unit]:
    for path in own(tree.named("manage.py")):
        if "DJANGO_SETTINGS_MODULE" not in tree.text(path):
            continue  # Flask-Script and others have a manage.py too
        unit = at(tree, parent(path), parent(path))
        if not is_clearly_not_postgres(tree, unit.root, unit.options["settings"]):
            yield Unit(
                unit.system, unit.root, _only_package(tree, unit.root),
                (f"{path} names DJANGO_SETTINGS_MODULE",), unit.options,
            )  # fmt: skip


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    # django-configurations builds the settings from a class, which a module in front of it would hide.
    is_class = "DJANGO_CONFIGURATION" in tree.text(join(root, "manage.py"))
    options = {"settings": "" if is_class else settings_module(tree, root)}
    return Unit("django", root, root, ("[[systems]] in the settings",), options)


def history(unit: Unit, tree: Tree) -> History:
    roots = _roots(tree) or [unit.root]
    found = [
        migration
        for directory, paths in _packages(tree).items()
        if _root_of(directory, roots) == unit.root
        for migration in _migrations(tree, directory, paths)
    ]
    return _as_django_plans(list(_resolved(found)))


def _only_package(tree: Tree, root: str) -> str:
    """The directory of the migrations if the project has one such package, else the project itself."""
    roots = _roots(tree) or [root]
    found = [directory for directory in _packages(tree) if _root_of(directory, roots) == root]
    return found[0] if len(found) == 1 else root


def _packages(tree: Tree) -> dict[str, list[str]]:
    found = {
        d: p
        for d, p in by_directory(tree, ".py", ("migrations",)).items()
        if d.rpartition("/")[2] == "migrations"
    }
    for directory in migration_modules(tree):
        found[directory] = [path for path in tree.below(directory) if parent(path) == directory]
    return found


def _roots(tree: Tree) -> list[str]:
    return [
        parent(path) for path in own(tree.named("manage.py")) if "DJANGO_SETTINGS_MODULE" in tree.text(path)
    ]


def _root_of(directory: str, roots: Sequence[str]) -> str | None:
    """Whose migrations these are: the nearest manage.py above; else the only project that there is.

    Packages of tests have migrations for made-up apps, which no project installs.
    """
    above = [root for root in roots if inside(directory, root)]
    if not above and len(roots) > 1:
        return None
    root = max(above or roots, key=len)
    below_root = directory.removeprefix(root + "/") if inside(directory, root) else directory
    return None if {"tests", "test"} & set(below_root.split("/")) else root


def _migrations(tree: Tree, directory: str, paths: Sequence[str]) -> Iterable[Migration]:
    label = ""
    for path in paths:
        name = path.rpartition("/")[2].removesuffix(".py")
        if parent(path) != directory or name[0] in "_~":
            continue  # as django/db/migrations/loader.py does
        content = tree.content(path)
        if MARKER.search(content):
            label = label or app_label(tree, directory)
            text = content.decode("utf-8", "replace")
            parents, replaces = _pairs(text, "dependencies"), _pairs(text, "replaces")
            yield Migration(f"{label}.{name}", path, tree.oids[path], parents, replaces)


def _pairs(text: str, name: str) -> tuple[str, ...]:
    """The ("app", "name") pairs of a list, from the text: it holds calls too, and need not parse."""
    start = re.search(rf"^\s+{name}\b[^=\n]*=\s*(?=[\[(])", text, re.MULTILINE)
    if not start:
        return ()
    depth = 0
    for bracket in BRACKET.finditer(text, start.end()):
        depth += 1 if bracket[0] in "[({" else -1
        if not depth:
            inner = text[start.end() : bracket.end()]
            return tuple(f"{app}.{migration}" for app, migration in PAIR.findall(inner))
    return ()


def _resolved(migrations: Sequence[Migration]) -> Iterable[Migration]:
    """``__first__`` and ``__latest__`` as ids; a replaced id without a file leads to what replaced it."""
    ids = {migration.id for migration in migrations}
    squashed = {old: m.id for m in migrations for old in m.replaces if old not in ids}
    for migration in migrations:
        parents = [
            found for id in migration.parents for found in _symbolic(id, migrations) or [squashed.get(id, id)]
        ]
        known = tuple(id for id in dict.fromkeys((*parents, *migration.replaces)) if id != migration.id)
        yield Migration(migration.id, migration.path, migration.oid, known, migration.replaces)


def _symbolic(id: str, migrations: Sequence[Migration]) -> list[str]:
    """The ids that ``app.__first__`` and ``app.__latest__`` stand for, [] for a plain id."""
    app, _, name = id.partition(".")
    if name not in ("__first__", "__latest__"):
        return []
    own = [migration for migration in migrations if _key(migration.id)[0] == app]
    if name == "__latest__":
        parents = {parent for migration in own for parent in migration.parents}
        return [migration.id for migration in own if migration.id not in parents]
    return [migration.id for migration in own if app not in {_key(parent)[0] for parent in migration.parents}]


def _as_django_plans(migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """The order of ``migrate`` (graph.leaf_nodes and iterative_dfs in django/db/migrations): app after app,
    each with what it needs before it. What lies on a circle comes last."""
    by_id = {migration.id: migration for migration in in_order(migrations)}
    within = {p for m in migrations for p in m.parents if p.partition(".")[0] == m.id.partition(".")[0]}
    ordered: dict[str, Migration] = {}
    stack = [(id, False) for id in sorted(by_id.keys() - within, key=_key, reverse=True)]
    opened: set[str] = set()
    while stack:
        id, done = stack.pop()
        if done:
            ordered[id] = by_id[id]
        elif id in by_id and id not in opened:
            opened.add(id)
            stack.append((id, True))
            stack += [(parent_id, False) for parent_id in sorted(by_id[id].parents, key=_key)]
    return (*ordered.values(), *(migration for id, migration in by_id.items() if id not in ordered))


def _key(id: str) -> tuple[str, str]:
    app, _, name = id.partition(".")
    return app, name


def apply(unit: Unit, pushed: History) -> Command:
    argv = ("python", "manage.py", "migrate", "--noinput", "--database", "default")
    settings = unit.options.get("settings", "")
    if not settings:  # computed at run time: the driver shim alone redirects
        return Command(argv, "python", module="django")
    return Command(
        (*argv, "--settings", WRAPPER),
        "python",
        module="django",
        environment={"NEON_HOOKS_DJANGO_SETTINGS": settings},
        files={f"{WRAPPER}.py": SETTINGS_WRAPPER},
    )


def down(work: Work, tree: Tree) -> Command | None:
    """``migrate APP NAME``: of one app, and to the one migration of it that is below."""
    apps = {migration.id.partition(".")[0] for migration in work.pushed}
    own = [replace(m, parents=tuple(p for p in m.parents if p.partition(".")[0] in apps)) for m in work.pushed]
    target = foundation(replace(work, pushed=tuple(own)))
    if target is None or len(apps) > 1 or any(m.replaces or len(m.parents) > 1 for m in own):
        return None
    up = apply(work.unit, work.pushed)
    where = (*apps, target.partition(".")[2] or "zero")
    return replace(up, argv=(*up.argv[:3], *where, *up.argv[3:]))


def compare(unit: Unit, tree: Tree) -> Comparison:
    """``makemigrations --check``: the models against the migrations' own state. It writes nothing (--dry-run), and
    where a new column needs a value for old rows it says so in the place of a migration.
    """
    up = apply(unit, ())
    words = ("makemigrations", "--check", "--dry-run", "--noinput")
    return Comparison(
        replace(up, argv=(*up.argv[:2], *words, *up.argv[6:])),
        differs=r"^Migrations for '|not migrated: it is impossible",
        difference=r"^ {4,}[-+~] .*|^Field .* not migrated: it is impossible.*",
        heading=r"^Migrations for '\w+'",
    )


def reversible(text: str) -> str:
    """All but what has code or SQL of its own for one direction only."""
    return text if all(all(given(text) or ()) for name, given in HAND_WRITTEN.items() if name in text) else ""


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping(table="django_migrations", id_sql="app || '.' || name")


def unknown(rows: Ids, history: History) -> Ids:
    """Rows of this project's apps only: the others are those of installed packages."""
    ours = {migration.id.partition(".")[0] for migration in history}
    return frozenset(row for row in rows_without_a_file(rows, history) if row.partition(".")[0] in ours)


def prove(before: Ids, after: Ids, history: History, pushed: History) -> Proof:
    """Every pushed migration must be recorded: one whose app is not installed is silently passed over.

    Rows of packages may come and go with the packages, and squashing records what was replaced.
    """
    missing = frozenset(migration.id for migration in pushed) - after
    return Proof(missing=missing, unexpected=unknown(after - before, history))


def same(before: bytes, after: bytes) -> bool:
    return same_code(before, after, ignored=GRAPH)


SYSTEM = System(
    name="django",
    detect=detect,
    history=history,
    apply=apply,
    down=down,
    at=at,
    default_dir="",
    bookkeeping=bookkeeping,
    same=same,
    prove=prove,
    is_graph=True,
    downs=within(reversible),
    unknown=unknown,
    written=lambda unit, tree, migration: of_django(tree, migration),
    compare=compare,
)
