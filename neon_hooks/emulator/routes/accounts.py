"""Whose key it is: /auth, /users/me, organizations, regions."""

from __future__ import annotations

from typing import Any

from neon_hooks.emulator import problems
from neon_hooks.emulator.model import REGION, shown
from neon_hooks.emulator.routes.call import Call, Reply


def auth(call: Call) -> Reply:
    if call.key_kind == "personal":
        return Reply({"account_id": call.project.user_id, "auth_method": "api_key_user"})
    return Reply({"account_id": call.project.organization_id, "auth_method": "api_key_org"})


def me(call: Call) -> Reply:
    if call.key_kind != "personal":
        raise problems.users_only()
    return Reply(
        {
            "active_seconds_limit": 0,
            "auth_accounts": [],
            "email": "developer@example.com",
            "id": call.project.user_id,
            "image": "",
            "login": "developer",
            "name": "Developer",
            "last_name": "",
            "projects_limit": 1,
            "branches_limit": call.project.rules.branch_limit,
            "max_autoscaling_limit": 0.25,
            "plan": "free",
        }
    )


def organizations(call: Call) -> Reply:
    return Reply({"organizations": [_organization(call)]})


def organization(call: Call) -> Reply:
    if call.params["org_id"] != call.project.organization_id:
        raise problems.not_found("organization")
    return Reply(_organization(call))


def _organization(call: Call) -> dict[str, Any]:
    moment = shown(call.project.created_at)
    return {
        "id": call.project.organization_id,
        "name": "emulator",
        "handle": call.project.organization_id,
        "plan": "free",
        "created_at": moment,
        "updated_at": moment,
        "managed_by": "console",
    }


def regions(call: Call) -> Reply:
    local = {"region_id": REGION, "name": "This machine", "default": True, "geo_lat": "", "geo_long": ""}
    return Reply({"regions": [local]})
