"""The project, its operations and its connection URIs."""

from __future__ import annotations

from neon_hooks.emulator import contents, problems
from neon_hooks.emulator.routes.call import Call, Reply, page


def index(call: Call) -> Reply:
    project = call.project
    if call.key_kind == "personal" and project.rules.require_org_id and not call.query.get("org_id"):
        raise problems.bad_request("org_id is required, you can find it on your organization settings page")
    found = [project.to_list_json()]
    search, organization = call.query.get("search", ""), call.query.get("org_id", project.organization_id)
    found = [item for item in found if search in item["id"] or search in item["name"]]
    found = [item for item in found if item["org_id"] == organization]
    chosen, cursor = page(found, call, lambda item: str(item["id"]), call.number("limit", 10, 400))
    body = {"projects": list(chosen), "applications": {}, "integrations": {}}
    return Reply({**body, **({"pagination": {"cursor": cursor}} if cursor else {})})


def shared(call: Call) -> Reply:
    return Reply({"projects": []})


def show(call: Call) -> Reply:
    return Reply({"project": call.project.to_json()})


def operation_index(call: Call) -> Reply:
    history = list(call.project.operations.history)
    limit = call.number("limit", 1000, 1000)
    chosen, cursor = page(history, call, lambda operation: str(operation.id), limit)
    body = {"operations": [operation.to_json() for operation in chosen]}
    return Reply({**body, **({"pagination": {"cursor": cursor}} if cursor else {})})


def operation(call: Call) -> Reply:
    for found in call.project.operations.history:
        if found.id == call.params["operation_id"]:
            return Reply({"operation": found.to_json()})
    raise problems.not_found("operation")


def connection_uri(call: Call) -> Reply:
    """Without ``branch_id`` that of the default Neon database branch: Neon's own, dangerous, habit."""
    project = call.project
    database_name, role_name = call.required("database_name"), call.required("role_name")
    if call.flag("pooled"):
        raise problems.no_pooler()
    endpoint = None
    if call.query.get("endpoint_id"):
        endpoint = project.endpoint(call.query["endpoint_id"])
    branch_id = call.query.get("branch_id") or (endpoint.branch_id if endpoint else project.default.id)
    neon_branch = project.neon_branch(branch_id)
    endpoint = endpoint or project.endpoint_of(neon_branch)
    if endpoint is None or endpoint.branch_id != neon_branch.id:
        raise problems.not_found("endpoint")
    contents.synchronise(project, neon_branch)
    database, role = contents.database(neon_branch, database_name), contents.role(neon_branch, role_name)
    return Reply({"uri": project.dsn(neon_branch, endpoint, database, role).uri()})
