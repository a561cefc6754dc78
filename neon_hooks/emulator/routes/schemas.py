"""The schema of a database, as pg_dump shows it. Slow, so the project's lock is not held meanwhile."""

from __future__ import annotations

import difflib
from typing import Any

from neon_hooks.emulator import contents, problems, sql
from neon_hooks.emulator.routes.call import Call, Reply

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


def show(call: Call) -> Reply:
    timeline = _timeline(call, call.params["branch_id"])
    if call.query.get("format", "sql") == "json":
        return Reply({"json": {"tables": _tables(call, timeline)}})
    return Reply({"sql": call.project.fleet.dump_schema(timeline, call.query["db_name"])})


def _tables(call: Call, timeline: str) -> list[dict[str, Any]]:
    with call.project.fleet.session(timeline, call.query["db_name"]) as connection:
        rows = sql.table_columns(connection)
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
    before, after = (_dump(call, base), _dump(call, compared))
    database = call.query["db_name"]
    return Reply({"diff": "".join(difflib.unified_diff(before, after, f"a/{database}", f"b/{database}"))})


def _dump(call: Call, neon_branch_id: str) -> list[str]:
    timeline = _timeline(call, neon_branch_id)
    return call.project.fleet.dump_schema(timeline, call.query["db_name"]).splitlines(keepends=True)
