"""What a Django project's own files say: settings module, databases, app labels. Nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neon_hooks.systems.places import own
from neon_hooks.systems.pycode import assignments, literal, parse
from neon_hooks.tree import Tree, inside, join, parent

SETTINGS_NAME = re.compile(r"""DJANGO_SETTINGS_MODULE["']?\s*[\],:=]+\s*["']?([A-Za-z_][\w.]+)""")
SERVERS = ("wsgi.py", "asgi.py")  # these lie beside the settings
# Where the settings module is named, the likeliest first.
SETTINGS_PLACES = ("manage.py", "pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", ".env", *SERVERS)
# The key, and its value when that is a literal.
ENGINE = re.compile(r"""["']?\bENGINE["']?\s*[\]:=]+\s*(?:["']([\w.]+)["'])?""")
NO_DATABASE = re.compile(r"^DATABASES\b[^=\n]*=\s*\{\s*\}", re.MULTILINE)
OTHER_ENGINES = ("sqlite3", "spatialite", "mysql", "oracle", "dummy", "mssql", "sql_server")
POSTGRES = re.compile(
    r"postg|psycopg|dj_database_url|django-environ|\benviron\b.*\.db\(|\.db_url\(|DATABASE_URL", re.I
)


def settings_module(tree: Tree, root: str) -> str:
    """The dotted name of the settings, "" when it is computed at run time."""
    for name in SETTINGS_PLACES:
        paths = [join(root, name)] if name not in SERVERS else tree.named(name)
        for path in paths:
            match = SETTINGS_NAME.search(tree.text(path)) if inside(path, root) else None
            if match and not match[1].startswith("os."):
                return match[1]
    return ""


def settings_files(tree: Tree, root: str, module: str) -> list[str]:
    """The files that settings may come from: the module's, and its neighbours' (base.py, production.py)."""
    if not module:
        return []
    path = module.replace(".", "/")
    plain = [file for name in (f"{path}.py", f"{path}/__init__.py") if (file := _find(tree, root, name))]
    found = set(plain)
    for file in plain:
        directory = parent(file)
        if "settings" in directory.rpartition("/")[2] or "config" in directory.rpartition("/")[2]:
            found |= {p for p in tree.below(directory) if p.endswith(".py") and parent(p) == directory}
    return sorted(found)


def _find(tree: Tree, root: str, name: str) -> str:
    if join(root, name) in tree:
        return join(root, name)
    ends = [p for p in tree.named(name.rpartition("/")[2]) if inside(p, root) and p.endswith("/" + name)]
    return ends[0] if ends else ""


def is_clearly_not_postgres(tree: Tree, root: str, module: str) -> bool:
    """True only when every engine of the settings is written out and none is Postgres', or there is none."""
    text = "\n".join(tree.text(path) for path in settings_files(tree, root, module))
    engines = [match[1] or "" for match in ENGINE.finditer(text)]
    others = [
        engine for engine in engines if engine.rpartition(".")[2] in OTHER_ENGINES or ".mysql" in engine
    ]
    if not engines and NO_DATABASE.search(text) and not POSTGRES.search(text):
        return True
    # EMAIL_ENGINE and the like do not match: a word boundary stands before ENGINE; SESSION_ENGINE has none.
    return bool(others) and len(others) == len(engines) and not POSTGRES.search(text)


def app_label(tree: Tree, directory: str) -> str:
    """The label of the app whose migrations lie in ``directory``.

    An AppConfig may set it; else it is the last part of the package's name.
    """
    moved = migration_modules(tree).get(directory)
    if moved:
        return moved
    package = parent(directory)
    module = parse(tree.content(join(package, "apps.py")))
    for node in module.body if module else ():
        if isinstance(node, ast.ClassDef):
            values = {name: literal(value) for name, value in assignments(node.body)}
            if isinstance(values.get("label"), str):
                return str(values["label"])
    return package.rpartition("/")[2]


def migration_modules(tree: Tree) -> dict[str, str]:
    """Directories that MIGRATION_MODULES moves an app's migrations to, with the app's label."""
    return {directory: label for root in _project_roots(tree) for directory, label in _moved(tree, root)}


def _project_roots(tree: Tree) -> list[str]:
    return [parent(path) for path in own(tree.named("manage.py"))]


def _moved(tree: Tree, root: str) -> Iterator[tuple[str, str]]:
    for path in settings_files(tree, root, settings_module(tree, root)):
        if "MIGRATION_MODULES" not in tree.text(path):
            continue
        module = parse(tree.content(path))
        values = dict(assignments(module.body)) if module else {}
        moved = literal(values["MIGRATION_MODULES"]) if "MIGRATION_MODULES" in values else None
        for label, name in (moved if isinstance(moved, dict) else {}).items():
            found = _find(tree, root, f"{name}/__init__.py".replace(".", "/", str(name).count(".")))
            if found:
                yield parent(found), str(label)
