"""What may be done with a compute endpoint, and the operations that do it.

Every function is called with the project's lock held and raises Problem where Neon refuses. A Neon
database branch has at most one, of type read_write: there are no read replicas here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from neon_hooks.emulator import names, problems
from neon_hooks.emulator.model import Endpoint, NeonBranch, State
from neon_hooks.emulator.operations import Operation, Step
from neon_hooks.emulator.project import Project


@dataclass(frozen=True)
class Size:
    """What a request for a compute asks for. ``suspend_timeout_seconds`` is kept and shown, not obeyed."""

    min_cu: float = 0.25
    max_cu: float = 0.25
    suspend_timeout_seconds: int = 0
    pg_settings: dict[str, str] = field(default_factory=dict, hash=False)
    name: str | None = None


def make(project: Project, neon_branch: NeonBranch, size: Size) -> Endpoint:
    """The endpoint, with its port, not started."""
    if project.endpoint_of(neon_branch):
        raise problems.exists("read_write endpoint")
    endpoint = Endpoint(
        names.identifier("ep"),
        project.id,
        neon_branch.id,
        project.fleet.reserve(neon_branch.timeline),
        min_cu=size.min_cu,
        max_cu=size.max_cu,
        suspend_timeout_seconds=size.suspend_timeout_seconds,
        pg_settings=size.pg_settings,
        name=size.name,
    )
    project.endpoints[endpoint.id] = endpoint
    return endpoint


def starting(project: Project, neon_branch: NeonBranch, endpoint: Endpoint) -> Step:
    endpoint.turn(endpoint.current_state, State.ACTIVE)

    def work() -> None:
        endpoint.port = project.fleet.start(neon_branch.timeline, endpoint.port)

    return Step("start_compute", neon_branch.id, endpoint.id, work, lambda: endpoint.turn(State.ACTIVE))


def suspending(project: Project, neon_branch: NeonBranch, endpoint: Endpoint) -> Step:
    endpoint.turn(endpoint.current_state, State.IDLE)
    timeline = neon_branch.timeline
    return Step(
        "suspend_compute",
        neon_branch.id,
        endpoint.id,
        work=lambda: project.fleet.stop(timeline),
        done=lambda: endpoint.turn(State.IDLE),
    )


def start(project: Project, endpoint: Endpoint) -> Sequence[Operation]:
    if endpoint.current_state == State.ACTIVE:
        return []
    return project.operations.schedule(starting(project, project.neon_branch(endpoint.branch_id), endpoint))


def suspend(project: Project, endpoint: Endpoint) -> Sequence[Operation]:
    if endpoint.current_state == State.IDLE:
        return []
    return project.operations.schedule(suspending(project, project.neon_branch(endpoint.branch_id), endpoint))


def restart(project: Project, endpoint: Endpoint) -> Sequence[Operation]:
    neon_branch = project.neon_branch(endpoint.branch_id)
    stop, begin = suspending(project, neon_branch, endpoint), starting(project, neon_branch, endpoint)
    return project.operations.schedule(stop, begin)


def delete(project: Project, endpoint: Endpoint) -> Sequence[Operation]:
    neon_branch = project.neon_branch(endpoint.branch_id)
    endpoint.turn(endpoint.current_state, State.IDLE)
    timeline = neon_branch.timeline

    def done() -> None:
        del project.endpoints[endpoint.id]

    step = Step("suspend_compute", neon_branch.id, endpoint.id, lambda: project.fleet.release(timeline), done)
    return project.operations.schedule(step)
