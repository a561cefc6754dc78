"""SQL that stands as a literal in a Python migration, laid out on the lines where it stands. Pure.

Only what certainly runs: a literal argument, outside of any condition or loop. A table that the same code
creates by other means is written as an empty CREATE TABLE, so that what follows knows it for new.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from neon_hooks.plan import Migration, Written
from neon_hooks.systems.pycode import assignments, literal, parse
from neon_hooks.tree import Tree, parent

Piece = tuple[int, str]  # a line, counted from 1, and the SQL that begins on it


def of_alembic(tree: Tree, migration: Migration) -> Written | None:
    """What ``upgrade`` hands to ``op.execute``; without a transaction where an autocommit_block is used."""
    module = parse(tree.content(migration.path))
    functions = (node for node in (module.body if module else ()) if isinstance(node, ast.FunctionDef))
    upgrade = next((node for node in functions if node.name == "upgrade"), None)
    if upgrade is None:
        return None
    pieces = [piece for call in _certain(upgrade.body) for piece in _of_operation(call)]
    alone = "autocommit_block" in ast.dump(upgrade)
    return _written(migration, pieces, transaction=not alone)


def of_django(tree: Tree, migration: Migration) -> Written | None:
    """The ``RunSQL`` operations; a model's table is called APP_MODEL unless its ``db_table`` says otherwise."""
    module = parse(tree.content(migration.path))
    classes = (node for node in (module.body if module else ()) if isinstance(node, ast.ClassDef))
    found = dict(assignments(next((node.body for node in classes if node.name == "Migration"), [])))
    operations = found.get("operations")
    app = parent(parent(migration.path)).rpartition("/")[2]
    calls = [each for each in getattr(operations, "elts", ()) if isinstance(each, ast.Call)]
    pieces = [piece for call in calls for piece in (*_run_sql(call), *_model(call, app))]
    alone = "atomic" in found and literal(found["atomic"]) is False
    return _written(migration, pieces, transaction=not alone)


def _written(migration: Migration, pieces: Iterable[Piece], *, transaction: bool) -> Written | None:
    text = ""
    for line, sql in sorted(pieces):
        sql = sql.rstrip().removesuffix(";")
        end = "\n;" if "--" in sql.rpartition("\n")[2] else ";"
        text += "\n" * (line - 1 - text.count("\n")) + sql + end
    return Written(migration.path, text, transaction=transaction) if text else None


def _certain(body: Iterable[ast.stmt]) -> Iterator[ast.Call]:
    """Calls that are statements of their own, outside of conditions and loops."""
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            yield statement.value
        elif isinstance(statement, ast.With):
            yield from _certain(statement.body)


def _name(call: ast.expr) -> str:
    return ast.unparse(call.func) if isinstance(call, ast.Call) else ""


def _argument(call: ast.Call, keyword: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == keyword), call.args[0] if call.args else None)


def _of_operation(call: ast.Call) -> Iterator[Piece]:
    if _name(call) == "op.execute":
        argument = _argument(call, "sqltext")
        if isinstance(argument, ast.Call) and _name(argument) in ("sa.text", "text", "sqlalchemy.text"):
            argument = _argument(argument, "text")
        yield from _literals(argument)
    elif _name(call) == "op.create_table":
        argument = _argument(call, "table_name")
        schema = next((k.value for k in call.keywords if k.arg == "schema"), None)
        if isinstance(argument, ast.Constant) and (schema is None or isinstance(schema, ast.Constant)):
            parts = [each.value for each in (schema, argument) if isinstance(each, ast.Constant) and each.value]
            yield call.lineno, _create(*map(str, parts))


def _run_sql(call: ast.Call) -> Iterator[Piece]:
    if _name(call).rpartition(".")[2] == "RunSQL":
        argument = _argument(call, "sql")
        several = argument.elts if isinstance(argument, ast.List | ast.Tuple) else [argument]
        for each in several:
            yield from _literals(each)


def _model(call: ast.Call, app: str) -> Iterator[Piece]:
    if _name(call).rpartition(".")[2] == "CreateModel":
        name = _argument(call, "name")
        options = next((literal(k.value) for k in call.keywords if k.arg == "options"), None)
        table = options.get("db_table") if isinstance(options, dict) else None
        if isinstance(name, ast.Constant):
            yield call.lineno, _create(str(table or f"{app}_{str(name.value).lower()}"))


def _literals(argument: ast.expr | None) -> Iterator[Piece]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.lineno, argument.value


def _create(*names: str) -> str:
    quoted = ".".join('"' + name.replace('"', '""') + '"' for name in names)
    return f"CREATE TABLE {quoted} ()"
