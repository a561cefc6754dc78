"""Roles and databases of a Neon database branch."""

from __future__ import annotations

from collections.abc import Sequence

from neon_hooks.emulator import contents, problems
from neon_hooks.emulator.model import Database, NeonBranch, Role
from neon_hooks.emulator.operations import Operation
from neon_hooks.emulator.routes.call import Call, Reply, flag, operations, text


def _neon_branch(call: Call) -> NeonBranch:
    found = call.project.neon_branch(call.params["branch_id"])
    contents.synchronise(call.project, found)
    return found


def _role(call: Call) -> tuple[NeonBranch, Role]:
    neon_branch = _neon_branch(call)
    return neon_branch, contents.role(neon_branch, call.params["role_name"])


def _database(call: Call) -> tuple[NeonBranch, Database]:
    neon_branch = _neon_branch(call)
    return neon_branch, contents.database(neon_branch, call.params["database_name"])


def roles(call: Call) -> Reply:
    neon_branch = _neon_branch(call)
    return Reply({"roles": [role.to_json(neon_branch.id) for role in neon_branch.roles]})


def role(call: Call) -> Reply:
    neon_branch, found = _role(call)
    return Reply({"role": found.to_json(neon_branch.id)})


def _changed_role(neon_branch: NeonBranch, role: Role, scheduled: Sequence[Operation], status: int) -> Reply:
    return Reply({"role": role.to_json(neon_branch.id, password=True), **operations(scheduled)}, status)


def create_role(call: Call) -> Reply:
    neon_branch, values = _neon_branch(call), call.part("role")
    name, no_login = text(values, "name"), flag(values, "no_login")
    made, scheduled = contents.create_role(call.project, neon_branch, name, no_login=no_login)
    return _changed_role(neon_branch, made, scheduled, 201)


def delete_role(call: Call) -> Reply:
    neon_branch = _neon_branch(call)
    found = neon_branch.role(call.params["role_name"])
    if found is None:
        return Reply(None, 204)
    return _changed_role(neon_branch, found, contents.delete_role(call.project, neon_branch, found), 200)


def reset_password(call: Call) -> Reply:
    neon_branch, found = _role(call)
    return _changed_role(neon_branch, found, contents.reset_password(call.project, neon_branch, found), 200)


def reveal_password(call: Call) -> Reply:
    _, found = _role(call)
    if not call.project.rules.store_passwords:
        raise problems.no_passwords()
    if found.password is None:
        raise problems.not_found("password")
    return Reply({"password": found.password})


def databases(call: Call) -> Reply:
    neon_branch = _neon_branch(call)
    return Reply({"databases": [database.to_json(neon_branch.id) for database in neon_branch.databases]})


def database(call: Call) -> Reply:
    neon_branch, found = _database(call)
    return Reply({"database": found.to_json(neon_branch.id)})


def _changed_database(
    neon_branch: NeonBranch, database: Database, scheduled: Sequence[Operation], status: int
) -> Reply:
    return Reply({"database": database.to_json(neon_branch.id), **operations(scheduled)}, status)


def create_database(call: Call) -> Reply:
    neon_branch, values = _neon_branch(call), call.part("database")
    name, owner = text(values, "name"), text(values, "owner_name")
    made, scheduled = contents.create_database(call.project, neon_branch, name, owner)
    return _changed_database(neon_branch, made, scheduled, 201)


def update_database(call: Call) -> Reply:
    (neon_branch, found), values = _database(call), call.part("database")
    name, owner = text(values, "name"), text(values, "owner_name")
    scheduled = contents.update_database(call.project, neon_branch, found, name, owner)
    return _changed_database(neon_branch, found, scheduled, 200)


def delete_database(call: Call) -> Reply:
    neon_branch = _neon_branch(call)
    found = neon_branch.database(call.params["database_name"])
    if found is None:
        return Reply(None, 204)
    scheduled = contents.delete_database(call.project, neon_branch, found)
    return _changed_database(neon_branch, found, scheduled, 200)
