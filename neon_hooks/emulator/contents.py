"""Roles and databases of a Neon database branch, and the operations that change them.

Every function is called with the project's lock held and raises Problem where Neon refuses. Tools also
make roles and databases with SQL; ``synchronise`` finds them, as Neon's own job does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from neon_hooks.database.connect import Connection
from neon_hooks.emulator import names, problems, sql
from neon_hooks.emulator.model import Database, NeonBranch, Role, State, now
from neon_hooks.emulator.operations import Operation, Step
from neon_hooks.emulator.project import Project

LONGEST_NAME = 63  # bytes (NAMEDATALEN - 1)
RESERVED_ROLES = ("postgres", "neon_superuser", "public", "none")
RESERVED_DATABASES = ("postgres", "template0", "template1")


def synchronise(project: Project, neon_branch: NeonBranch) -> None:
    """Bring ``roles`` and ``databases`` in line with what the running compute holds."""
    endpoint = project.endpoint_of(neon_branch)
    if not endpoint or endpoint.current_state != State.ACTIVE or neon_branch.current_state != State.READY:
        return
    if project.operations.busy:
        return
    with project.fleet.session(neon_branch.timeline) as connection:
        roles, databases = sql.roles(connection), sql.databases(connection)
    neon_branch.roles = [neon_branch.role(role) or Role(role, None) for role in roles]
    found = []
    for name, owner in databases.items():
        database = neon_branch.database(name) or Database(project.next_database_id(), name, owner)
        database.owner_name = owner
        found.append(database)
    neon_branch.databases = found


def _apply(
    project: Project, neon_branch: NeonBranch, work: Callable[[Connection], None], database: str = ""
) -> Sequence[Operation]:
    """Run ``work`` as the superuser in an ``apply_config`` operation."""
    timeline = neon_branch.timeline
    endpoint = project.endpoint_of(neon_branch)

    def run() -> None:
        with project.fleet.session(timeline, database or "postgres") as connection:
            work(connection)

    return project.operations.schedule(
        Step("apply_config", neon_branch.id, endpoint.id if endpoint else None, work=run)
    )


def role(neon_branch: NeonBranch, name: str) -> Role:
    found = neon_branch.role(name)
    if found is None:
        raise problems.not_found("role")
    return found


def database(neon_branch: NeonBranch, name: str) -> Database:
    found = neon_branch.database(name)
    if found is None:
        raise problems.not_found("database")
    return found


def _check_name(what: str, name: str, reserved: Sequence[str]) -> None:
    if not name or len(name.encode()) > LONGEST_NAME or "\0" in name:
        raise problems.bad_request(f"{what} name must have 1 to {LONGEST_NAME} bytes")
    if name.lower() in reserved or name.startswith("pg_"):
        raise problems.bad_request(f"{what} name {name} is reserved")


def create_role(
    project: Project, neon_branch: NeonBranch, name: str, *, no_login: bool = False
) -> tuple[Role, Sequence[Operation]]:
    synchronise(project, neon_branch)
    _check_name("role", name, RESERVED_ROLES)
    if neon_branch.role(name):
        raise problems.exists("role")
    made = Role(name, None if no_login else names.password())
    neon_branch.roles.append(made)
    password = made.password
    return made, _apply(project, neon_branch, lambda connection: sql.create_role(connection, name, password))


def reset_password(project: Project, neon_branch: NeonBranch, found: Role) -> Sequence[Operation]:
    new = found.password = names.password()
    found.updated_at = now()
    return _apply(project, neon_branch, lambda connection: sql.set_password(connection, found.name, new))


def delete_role(project: Project, neon_branch: NeonBranch, found: Role) -> Sequence[Operation]:
    if any(item.owner_name == found.name for item in neon_branch.databases):
        raise problems.refused("cannot delete a role that owns a database")
    neon_branch.roles.remove(found)
    databases = [item.name for item in neon_branch.databases]

    def work(connection: Connection) -> None:
        for name in databases:
            with project.fleet.session(neon_branch.timeline, name) as inside:
                sql.give_away(inside, found.name)
        sql.drop_role(connection, found.name)

    return _apply(project, neon_branch, work)


def create_database(
    project: Project, neon_branch: NeonBranch, name: str, owner: str
) -> tuple[Database, Sequence[Operation]]:
    synchronise(project, neon_branch)
    _check_name("database", name, RESERVED_DATABASES)
    role(neon_branch, owner)
    if neon_branch.database(name):
        raise problems.exists("database")
    made = Database(project.next_database_id(), name, owner)
    neon_branch.databases.append(made)

    def work(connection: Connection) -> None:
        sql.create_database(connection, name, owner)
        with project.fleet.session(neon_branch.timeline, name) as inside:
            sql.open_public_schema(inside)

    return made, _apply(project, neon_branch, work)


def update_database(
    project: Project, neon_branch: NeonBranch, found: Database, name: str, owner: str
) -> Sequence[Operation]:
    name, owner, old = name or found.name, owner or found.owner_name, found.name
    role(neon_branch, owner)
    if name != old:
        _check_name("database", name, RESERVED_DATABASES)
        if neon_branch.database(name):
            raise problems.exists("database")
    found.name, found.owner_name, found.updated_at = name, owner, now()
    return _apply(project, neon_branch, lambda connection: sql.alter_database(connection, old, name, owner))


def delete_database(project: Project, neon_branch: NeonBranch, found: Database) -> Sequence[Operation]:
    neon_branch.databases.remove(found)
    return _apply(project, neon_branch, lambda connection: sql.drop_database(connection, found.name))
