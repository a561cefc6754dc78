"""Compute endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from neon_hooks.emulator import computes, problems
from neon_hooks.emulator.model import Endpoint
from neon_hooks.emulator.operations import Operation
from neon_hooks.emulator.project import Project
from neon_hooks.emulator.routes.call import Call, Reply, object_of, operations, text, texts

SMALLEST = 0.25  # compute units
SHORTEST_SUSPEND, LONGEST_SUSPEND = 60, 604_800  # seconds; -1 is never, 0 the default


def _number(values: Mapping[str, Any], name: str, default: float) -> float:
    found = values.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise problems.bad_request(f"{name} must be a number")
    return found


def size(values: Mapping[str, Any], old: Endpoint | None = None) -> computes.Size:
    """Read what a request says about a compute. Raises Problem."""
    base = computes.Size(old.min_cu, old.max_cu, old.suspend_timeout_seconds) if old else computes.Size()
    if old is None and text(values, "type") not in ("read_write", "read_only"):
        raise problems.bad_request("endpoint type must be read_write or read_only")
    if text(values, "type") == "read_only":
        raise problems.bad_request("the emulator has no read replicas: use the type read_write")
    smallest = _number(values, "autoscaling_limit_min_cu", base.min_cu)
    largest = _number(values, "autoscaling_limit_max_cu", max(base.max_cu, smallest))
    if not SMALLEST <= smallest <= largest:
        raise problems.bad_request(f"compute units must be at least {SMALLEST}, and max not below min")
    suspend = int(_number(values, "suspend_timeout_seconds", base.suspend_timeout_seconds))
    if suspend not in (-1, 0) and not SHORTEST_SUSPEND <= suspend <= LONGEST_SUSPEND:
        raise problems.bad_request("suspend_timeout_seconds must be -1, 0 or from 60 to 604800")
    settings = texts(object_of(values, "settings"), "pg_settings")
    return computes.Size(smallest, largest, suspend, settings, text(values, "name") or None)


def of_branch(call: Call) -> Reply:
    endpoint = call.project.endpoint_of(call.project.neon_branch(call.params["branch_id"]))
    return Reply({"endpoints": [endpoint.to_json()] if endpoint else []})


def index(call: Call) -> Reply:
    return Reply({"endpoints": [endpoint.to_json() for endpoint in call.project.endpoints.values()]})


def show(call: Call) -> Reply:
    return _shown(_found(call), None)


def create(call: Call) -> Reply:
    project, values = call.project, call.part("endpoint")
    neon_branch = project.neon_branch(text(values, "branch_id"))
    endpoint = computes.make(project, neon_branch, size(values))
    scheduled = project.operations.schedule(computes.starting(project, neon_branch, endpoint))
    return Reply({"endpoint": endpoint.to_json(), **operations(scheduled)}, 201)


def update(call: Call) -> Reply:
    endpoint, values = _found(call), call.part("endpoint")
    if "settings" in values and not object_of(values, "settings").get("pg_settings"):
        raise problems.bad_request("settings must not be nil")
    wanted = size(values, endpoint)
    endpoint.min_cu, endpoint.max_cu = wanted.min_cu, wanted.max_cu
    endpoint.suspend_timeout_seconds = wanted.suspend_timeout_seconds
    endpoint.pg_settings = wanted.pg_settings or endpoint.pg_settings
    endpoint.name = wanted.name or endpoint.name
    endpoint.turn(endpoint.current_state, endpoint.pending_state)
    return _shown(endpoint, [])


def delete(call: Call) -> Reply:
    if call.params["endpoint_id"] not in call.project.endpoints:
        return Reply(None, 204)
    return _after(call, computes.delete)


def start(call: Call) -> Reply:
    return _after(call, computes.start)


def suspend(call: Call) -> Reply:
    return _after(call, computes.suspend)


def restart(call: Call) -> Reply:
    return _after(call, computes.restart)


def _found(call: Call) -> Endpoint:
    return call.project.endpoint(call.params["endpoint_id"])


def _after(call: Call, action: Callable[[Project, Endpoint], Sequence[Operation]]) -> Reply:
    endpoint = _found(call)
    return _shown(endpoint, action(call.project, endpoint))


def _shown(endpoint: Endpoint, scheduled: Sequence[Operation] | None) -> Reply:
    return Reply({"endpoint": endpoint.to_json(), **({} if scheduled is None else operations(scheduled))})
