"""Neon database branches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neon_hooks.emulator import expiry, lifecycle, problems
from neon_hooks.emulator.model import Endpoint, NeonBranch
from neon_hooks.emulator.project import Project
from neon_hooks.emulator.routes.call import Call, Reply, flag, object_of, operations, page, text, texts
from neon_hooks.emulator.routes.endpoints import size

MOST_ANNOTATIONS = 50
MOST_PER_PAGE = 10_000
SORT_KEYS = ("name", "created_at", "updated_at")


def wish(body: Mapping[str, Any]) -> lifecycle.Wish:
    """Read a request to create a Neon database branch. Raises Problem."""
    values = object_of(body, "branch")
    if values.get("parent_lsn") or values.get("parent_timestamp"):
        raise problems.no_history()
    if "name" in values and not text(values, "name"):
        raise problems.bad_request(f"branch name must have 1 to {lifecycle.LONGEST_NAME} characters")
    annotation = texts(body, "annotation_value")
    if len(annotation) > MOST_ANNOTATIONS:
        raise problems.bad_request(f"annotation_value can have at most {MOST_ANNOTATIONS} keys")
    computes = body.get("endpoints") or []
    if not isinstance(computes, list) or not all(isinstance(item, dict) for item in computes):
        raise problems.bad_request("endpoints must be a list of objects")
    if len(computes) > 1:
        raise problems.bad_request("a branch can have one read_write endpoint")
    return lifecycle.Wish(
        parent_id=text(values, "parent_id"),
        name=text(values, "name"),
        protected=flag(values, "protected"),
        init_source=text(values, "init_source", "parent-data"),
        expires_at=expiry.parse(values["expires_at"]) if values.get("expires_at") is not None else None,
        annotation=annotation or None,
        computes=[size(item) for item in computes],
    )


def created(
    project: Project, made: NeonBranch, endpoint: Endpoint | None, scheduled: dict[str, Any]
) -> dict[str, Any]:
    """The answer to a creation."""
    body = {
        "branch": made.to_json(),
        "endpoints": [endpoint.to_json()] if endpoint else [],
        **scheduled,
        "roles": [role.to_json(made.id, password=project.rules.store_passwords) for role in made.roles],
        "databases": [database.to_json(made.id) for database in made.databases],
    }
    if endpoint and len(made.roles) == len(made.databases) == 1:
        dsn = project.dsn(made, endpoint, made.databases[0], made.roles[0])
        parameters = {
            "database": dsn.database,
            "password": dsn.password,
            "role": dsn.user,
            "host": dsn.host,
            "pooler_host": dsn.host,
            "port": dsn.port,
        }
        body["connection_uris"] = [{"connection_uri": dsn.uri(), "connection_parameters": parameters}]
    return body


def create(call: Call) -> Reply:
    made, endpoint, scheduled = lifecycle.create(call.project, wish(call.body))
    return Reply(created(call.project, made, endpoint, operations(scheduled)), 201)


def _matching(call: Call) -> list[NeonBranch]:
    search = call.query.get("search", "")
    everything = list(call.project.neon_branches.values())
    if call.flag("include_deleted"):
        everything += call.project.deleted
    return [item for item in everything if search in item.name or search in item.id]


def index(call: Call) -> Reply:
    sort_by = call.query.get("sort_by", "updated_at")
    sort_order = call.query.get("sort_order", "desc").lower()
    if sort_by not in SORT_KEYS or sort_order not in ("asc", "desc"):
        raise problems.bad_request("unknown sort_by or sort_order")
    found = sorted(
        _matching(call),
        key=lambda item: (getattr(item, sort_by), item.created_at),
        reverse=sort_order == "desc",
    )
    limit = call.number("limit", MOST_PER_PAGE, MOST_PER_PAGE)
    chosen, following = page(found, call, lambda item: str(item.id), limit)
    pagination = {"sort_by": sort_by, "sort_order": sort_order.upper()}
    return Reply(
        {
            "branches": [item.to_json() for item in chosen],
            "annotations": {item.id: item.annotation_json() for item in chosen if item.annotation},
            "pagination": {**pagination, **({"next": following} if following else {})},
        }
    )


def count(call: Call) -> Reply:
    return Reply({"count": len(_matching(call))})


def show(call: Call) -> Reply:
    found = call.project.neon_branch(call.params["branch_id"])
    return Reply({"branch": found.to_json(), "annotation": found.annotation_json()})


def update(call: Call) -> Reply:
    project, values = call.project, call.part("branch")
    found = project.neon_branch(call.params["branch_id"])
    name = text(values, "name", found.name)
    protected = flag(values, "protected", default=found.protected)
    moment = expiry.parse(values["expires_at"]) if values.get("expires_at") is not None else None
    lifecycle.rename(project, found, name)
    lifecycle.protect(found, protected)
    if "expires_at" in values:
        lifecycle.set_expiry(project, found, moment)
    found.turn(found.current_state, found.pending_state)
    return Reply({"branch": found.to_json(), "operations": []})


def delete(call: Call) -> Reply:
    found = call.project.neon_branches.get(call.params["branch_id"])
    if found is None:
        return Reply(None, 204)
    scheduled = lifecycle.delete(call.project, found)
    return Reply({"branch": found.to_json(), **operations(scheduled)})


def restore(call: Call) -> Reply:
    project = call.project
    found = project.neon_branch(call.params["branch_id"])
    if not text(call.body, "source_branch_id"):
        raise problems.bad_request("source_branch_id is required")
    if call.body.get("source_lsn") or call.body.get("source_timestamp"):
        raise problems.no_history()
    source = project.neon_branch(text(call.body, "source_branch_id"))
    scheduled = lifecycle.restore(project, found, source, text(call.body, "preserve_under_name"))
    return Reply({"branch": found.to_json(), **operations(scheduled)})


def set_as_default(call: Call) -> Reply:
    found = call.project.neon_branch(call.params["branch_id"])
    lifecycle.set_default(call.project, found)
    return Reply({"branch": found.to_json(), "operations": []})
