"""What may be done with a Neon database branch, and the operations that do it.

Every function is called with the project's lock held and raises Problem where Neon refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from neon_hooks.emulator import computes, contents, names, problems, sql
from neon_hooks.emulator.model import Database, Endpoint, NeonBranch, Role, State, now
from neon_hooks.emulator.operations import Operation, Step
from neon_hooks.emulator.project import Project

LONGEST_NAME = 256
LONGEST_TTL = timedelta(days=30)
SCHEMA_ONLY = "schema-only"
INIT_SOURCES = ("parent-data", SCHEMA_ONLY)


@dataclass(frozen=True)
class Wish:
    """What a request to create a Neon database branch asks for."""

    parent_id: str = ""
    name: str = ""
    protected: bool = False
    init_source: str = "parent-data"
    expires_at: datetime | None = None
    annotation: dict[str, str] | None = None
    computes: Sequence[computes.Size] = ()
    masking_rules: list[dict[str, str]] | None = field(default=None, hash=False)


def create(
    project: Project, wish: Wish, *extra: Callable[[NeonBranch], Step]
) -> tuple[NeonBranch, Endpoint | None, Sequence[Operation]]:
    """The copy is made here, before the answer: it holds the parent's data as of the request.

    ``extra``: steps that follow, made for the new Neon database branch.
    """
    parent = project.neon_branch(wish.parent_id) if wish.parent_id else project.default
    _may_create(project, wish, parent)
    contents.synchronise(project, parent)
    made = _child(project, wish, parent)
    project.fleet.copy(parent.timeline, made.timeline)
    project.neon_branches[made.id] = made
    endpoint = computes.make(project, made, wish.computes[0]) if wish.computes else None
    schema_only, renew = wish.init_source == SCHEMA_ONLY, parent.protected
    steps = [
        Step(
            "create_branch",
            made.id,
            work=lambda: _finish_copy(project, made, schema_only=schema_only, renew=renew),
            done=lambda: made.turn(State.READY),
        )
    ]
    if endpoint:
        steps.append(computes.starting(project, made, endpoint))
    return made, endpoint, project.operations.schedule(*steps, *(more(made) for more in extra))


def _may_create(project: Project, wish: Wish, parent: NeonBranch) -> None:
    if wish.init_source not in INIT_SOURCES:
        raise problems.bad_request(f"init_source must be one of {', '.join(INIT_SOURCES)}")
    if parent.current_state != State.READY:
        raise problems.refused("branch not ready yet")
    if parent.expires_at is not None:
        raise problems.refused("cannot create a child of a branch that has an expiration timestamp")
    if wish.expires_at is not None and wish.protected:
        raise problems.refused("a protected branch cannot have an expiration timestamp")
    _name_is_free(project, wish.name)
    if len(project.neon_branches) >= project.rules.branch_limit:
        raise problems.too_many(project.rules.branch_limit)
    roots = [item for item in project.neon_branches.values() if item.parent_id is None]
    if wish.init_source == SCHEMA_ONLY and len(roots) >= project.rules.root_limit:
        raise problems.too_many_roots(project.rules.root_limit)


def _name_is_free(project: Project, name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise problems.bad_request(f"branch name must have 1 to {LONGEST_NAME} characters")
    if any(item.name == name for item in project.neon_branches.values()):
        raise problems.name_taken(name)


def _child(project: Project, wish: Wish, parent: NeonBranch) -> NeonBranch:
    made = NeonBranch(names.identifier("br"), project.id, wish.name, names.identifier())
    made.name = wish.name or made.id
    made.parent_id = None if wish.init_source == SCHEMA_ONLY else parent.id
    made.init_source = wish.init_source
    made.protected = wish.protected
    made.annotation = wish.annotation
    made.masking_rules = wish.masking_rules
    _expire(made, wish.expires_at)
    _take_contents(project, made, parent)
    return made


def _take_contents(project: Project, made: NeonBranch, source: NeonBranch) -> None:
    """Roles and databases of ``source``; with new passwords when it is protected."""
    renew = source.protected and source is not made
    made.roles = [
        Role(role.name, names.password() if renew and role.password is not None else role.password)
        for role in source.roles
    ]
    made.databases = [
        Database(project.next_database_id(), found.name, found.owner_name) for found in source.databases
    ]


def _finish_copy(project: Project, made: NeonBranch, *, schema_only: bool, renew: bool) -> None:
    """Where the copy has to differ from its source: no rows, new passwords."""
    if not renew and not schema_only:
        return
    with project.fleet.awake(made.timeline):
        if schema_only:
            for database in made.databases:
                with project.fleet.session(made.timeline, database.name) as connection:
                    sql.remove_rows(connection)
        with project.fleet.session(made.timeline) as connection:
            for role in made.roles:
                if role.password is not None:
                    sql.set_password(connection, role.name, role.password)


def _expire(neon_branch: NeonBranch, moment: datetime | None) -> None:
    neon_branch.expires_at = moment
    neon_branch.ttl_interval_seconds = round((moment - now()).total_seconds()) if moment else None


def delete(project: Project, neon_branch: NeonBranch, method: str = "user") -> Sequence[Operation]:
    if neon_branch.default:
        raise problems.refused("cannot delete the default branch")
    if neon_branch.protected:
        raise problems.refused("cannot delete protected branch")
    if project.children(neon_branch):
        raise problems.refused("cannot delete a branch that has children")

    def done() -> None:
        neon_branch.deleted_at = now()
        neon_branch.deletion_method = method
        project.forget(neon_branch)
        project.deleted.append(neon_branch)

    endpoint = project.endpoint_of(neon_branch)
    steps = [computes.suspending(project, neon_branch, endpoint)] if endpoint else []
    timeline = neon_branch.timeline
    removal = Step("delete_timeline", neon_branch.id, work=lambda: project.fleet.delete(timeline), done=done)
    steps.append(removal)
    return project.operations.schedule(*steps)


def rename(project: Project, neon_branch: NeonBranch, name: str) -> None:
    if not name:
        raise problems.bad_request(f"branch name must have 1 to {LONGEST_NAME} characters")
    if name != neon_branch.name:
        _name_is_free(project, name)
        neon_branch.name = name


def protect(neon_branch: NeonBranch, protected: bool) -> None:
    if protected and neon_branch.expires_at is not None:
        raise problems.refused("a branch with an expiration timestamp cannot be protected")
    neon_branch.protected = protected


def set_expiry(project: Project, neon_branch: NeonBranch, moment: datetime | None) -> None:
    reasons = {
        "the default branch": neon_branch.default,
        "a protected branch": neon_branch.protected,
        "a branch that has children": bool(project.children(neon_branch)),
    }
    for what, holds in reasons.items():
        if moment is not None and holds:
            raise problems.refused(f"{what} cannot have an expiration timestamp")
    _expire(neon_branch, moment)


def set_default(project: Project, neon_branch: NeonBranch) -> None:
    if neon_branch.expires_at is not None:
        raise problems.refused("a branch with an expiration timestamp cannot be the default branch")
    project.default.default = False
    neon_branch.default = True


def restore(
    project: Project, neon_branch: NeonBranch, source: NeonBranch, preserve_under_name: str
) -> Sequence[Operation]:
    """``neon_branch`` gets the data of ``source`` as of now; the way to reset it to its parent."""
    children = project.children(neon_branch)
    _may_restore(project, neon_branch, source, preserve_under_name)
    contents.synchronise(project, source)
    target = names.identifier()
    project.fleet.copy(source.timeline, target)
    neon_branch.turn(State.RESETTING, State.READY)
    endpoint = project.endpoint_of(neon_branch)
    old = neon_branch.timeline

    def swap() -> None:
        project.fleet.stop(old)
        project.fleet.hand_port_over(old, target)
        with project.lock:
            if preserve_under_name:
                _preserve(project, neon_branch, preserve_under_name, children)
            neon_branch.timeline, neon_branch.parent_id = target, source.id
            _take_contents(project, neon_branch, source)
        _finish_copy(project, neon_branch, schema_only=False, renew=source.protected)
        if not preserve_under_name:
            project.fleet.delete(old)

    def done() -> None:
        neon_branch.turn(State.READY)
        neon_branch.last_reset_at = now()
        if neon_branch.ttl_interval_seconds:  # the countdown starts again
            _expire(neon_branch, now() + timedelta(seconds=neon_branch.ttl_interval_seconds))

    steps = [computes.suspending(project, neon_branch, endpoint)] if endpoint else []
    steps.append(Step("create_branch", neon_branch.id, work=swap, done=done))
    if endpoint:
        steps.append(computes.starting(project, neon_branch, endpoint))
    return project.operations.schedule(*steps)


def _may_restore(
    project: Project, neon_branch: NeonBranch, source: NeonBranch, preserve_under_name: str
) -> None:
    if source is neon_branch:
        raise problems.no_history()
    if project.children(neon_branch) and not preserve_under_name:
        raise problems.refused("preserve_under_name is required for a branch that has children")
    if source.current_state != State.READY or neon_branch.current_state != State.READY:
        raise problems.refused("branch not ready yet")
    if preserve_under_name:
        _name_is_free(project, preserve_under_name)
    if source.expires_at is not None:
        raise problems.refused("cannot restore from a branch that has an expiration timestamp")


def _preserve(project: Project, neon_branch: NeonBranch, name: str, children: Sequence[NeonBranch]) -> None:
    """What was there before lives on under ``name``, with the children, and without a compute."""
    kept = NeonBranch(names.identifier("br"), project.id, name, neon_branch.timeline, neon_branch.parent_id)
    kept.turn(State.READY)
    kept.roles, kept.databases = neon_branch.roles, neon_branch.databases
    project.neon_branches[kept.id] = kept
    for child in children:
        child.parent_id = kept.id
