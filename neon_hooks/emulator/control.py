"""/_emulator: the handles for tests that drive an emulator from another process."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Protocol

from neon_hooks.emulator import problems
from neon_hooks.emulator.faults import Fault, Faults
from neon_hooks.emulator.journal import Journal
from neon_hooks.emulator.operations import Step
from neon_hooks.emulator.project import Project
from neon_hooks.emulator.routes.call import Reply


class Controlled(Protocol):
    project: Project
    faults: Faults
    journal: Journal


def reply(emulator: Controlled, method: str, path: str, body: Any) -> Reply:
    """Raises Problem."""
    match method, path:
        case "GET", "/requests":
            return Reply({"requests": [request.to_json() for request in emulator.journal.requests]})
        case "DELETE", "/requests":
            emulator.journal.clear()
        case "GET", "/faults":
            return Reply({"faults": [asdict(fault) for fault in emulator.faults.waiting]})
        case "POST", "/faults":
            emulator.faults.add(*(Fault.of(entry) for entry in _faults(body)))
        case "DELETE", "/faults":
            emulator.faults.clear()
            emulator.project.operations.release_stuck()
        case "POST", "/operations":
            action, seconds = body.get("action", ""), body.get("seconds", 0.5)
            return Reply({"operation": disturb(emulator.project, action, seconds)})
        case _:
            raise problems.no_route()
    return Reply({})


def _faults(body: dict[str, Any]) -> list[dict[str, Any]]:
    found = body.get("faults", [body])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise problems.bad_request("faults must be a list of objects")
    return found


def disturb(project: Project, action: str, seconds: float) -> dict[str, Any]:
    """Schedule an operation of Neon's own, such as check_availability, that lasts ``seconds``."""
    if not isinstance(seconds, int | float):
        raise problems.bad_request("seconds must be a number")
    with project.lock:
        main = project.default
        endpoint = project.endpoint_of(main)
        endpoint_id = endpoint.id if endpoint else None
        step = Step(action or "check_availability", main.id, endpoint_id, seconds=seconds)
        return project.operations.schedule(step)[0].to_json()
