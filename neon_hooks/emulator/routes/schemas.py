"""The schema of a database, as pg_dump shows it. Slow, so the project's lock is not held meanwhile."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from neon_hooks.emulator import contents, problems, sql
from neon_hooks.emulator.routes.call import Call, Reply
from neon_hooks.errors import Unavailable

Result = TypeVar("Result")
NO_HISTORY = ("lsn", "timestamp", "base_lsn", "base_timestamp")


def _timeline(call: Call, neon_branch_id: str) -> str:
    """Raises Problem when there is no such Neon database branch or database."""
    if any(call.query.get(name) for name in NO_HISTORY):
        raise problems.no_history()
    database = call.required("db_name")
    with call.project.lock:
        neon_branch = call.project.neon_branch(neon_branch_id)
        contents.synchronise(call.project, neon_branch)
        contents.database(neon_branch, database)
        return neon_branch.timeline


def _read(call: Call, neon_branch_id: str, read: Callable[[str, str], Result]) -> Result:
    """What ``read`` makes of timeline and database. Raises Problem when they go away meanwhile."""
    timeline = _timeline(call, neon_branch_id)
    try:
        return read(timeline, call.query["db_name"])
    except Unavailable:
        if call.project.fleet.found(timeline):
            raise
        raise problems.refused("branch not ready yet") from None


def show(call: Call) -> Reply:
    fleet, neon_branch_id = call.project.fleet, call.params["branch_id"]
    if call.query.get("format", "sql") == "sql":
        return Reply({"sql": _read(call, neon_branch_id, fleet.dump_schema)})

    def columns(timeline: str, database: str) -> Sequence[sql.Column]:
        with fleet.session(timeline, database) as connection:
            return sql.table_columns(connection)

    return Reply({"json": {"tables": _tables(_read(call, neon_branch_id, columns))}})


def _tables(rows: Sequence[sql.Column]) -> list[dict[str, Any]]:
    tables: dict[tuple[str, str], dict[str, Any]] = {}
    for schema, table, column, kind, nullable, default in rows:
        entry = tables.setdefault((schema, table), {"schema": schema, "name": table, "columns": []})
        shown = {"name": column, "type": kind, "nullable": nullable}
        entry["columns"].append(shown if default is None else {**shown, "default": default})
    return list(tables.values())


def compare(call: Call) -> Reply:
    """The difference from the base (the parent, if no other is named); "" where there is none."""
    compared = call.params["branch_id"]
    with call.project.lock:
        base = call.query.get("base_branch_id") or call.project.neon_branch(compared).parent_id
    if not base:
        raise problems.bad_request("the branch has no parent: base_branch_id is required")
    before, after = (
        _read(call, neon_branch_id, call.project.fleet.dump_schema).splitlines(keepends=True)
        for neon_branch_id in (base, compared)
    )
    database = call.query["db_name"]
    return Reply({"diff": "".join(difflib.unified_diff(before, after, f"a/{database}", f"b/{database}"))})
