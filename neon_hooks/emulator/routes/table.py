"""Which handler answers which method and path (below /api/v2)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from neon_hooks.emulator import problems
from neon_hooks.emulator.routes import accounts, branches, endpoints, masks, projects, roles, schemas
from neon_hooks.emulator.routes.call import Handler

PROJECT = "/projects/{project_id}"
BRANCH = PROJECT + "/branches/{branch_id}"
ROLE = BRANCH + "/roles/{role_name}"
DATABASE = BRANCH + "/databases/{database_name}"
ENDPOINT = PROJECT + "/endpoints/{endpoint_id}"


@dataclass(frozen=True)
class Route:
    """``locks``: the handler runs with the project's lock held; a slow reader takes it by itself."""

    method: str
    template: str
    handler: Handler
    locks: bool = True

    @property
    def mutates(self) -> bool:
        return self.method != "GET"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template))


ROUTES: Sequence[Route] = (
    Route("GET", "/auth", accounts.auth),
    Route("GET", "/users/me", accounts.me),
    Route("GET", "/users/me/organizations", accounts.organizations),
    Route("GET", "/organizations/{org_id}", accounts.organization),
    Route("GET", "/regions", accounts.regions),
    Route("GET", "/projects", projects.index),
    Route("GET", "/projects/shared", projects.shared),
    Route("GET", PROJECT, projects.show),
    Route("GET", PROJECT + "/connection_uri", projects.connection_uri),
    Route("GET", PROJECT + "/operations", projects.operation_index),
    Route("GET", PROJECT + "/operations/{operation_id}", projects.operation),
    Route("GET", PROJECT + "/branches", branches.index),
    Route("POST", PROJECT + "/branches", branches.create),
    Route("GET", PROJECT + "/branches/count", branches.count),
    Route("POST", PROJECT + "/branch_anonymized", masks.create),
    Route("GET", BRANCH, branches.show),
    Route("PATCH", BRANCH, branches.update),
    Route("DELETE", BRANCH, branches.delete),
    Route("POST", BRANCH + "/restore", branches.restore),
    Route("POST", BRANCH + "/set_as_default", branches.set_as_default),
    Route("GET", BRANCH + "/schema", schemas.show, locks=False),
    Route("GET", BRANCH + "/compare_schema", schemas.compare, locks=False),
    Route("GET", BRANCH + "/anonymized_status", masks.status),
    Route("GET", BRANCH + "/masking_rules", masks.rules),
    Route("PATCH", BRANCH + "/masking_rules", masks.replace_rules),
    Route("POST", BRANCH + "/anonymize", masks.start),
    Route("GET", BRANCH + "/endpoints", endpoints.of_branch),
    Route("GET", BRANCH + "/databases", roles.databases),
    Route("POST", BRANCH + "/databases", roles.create_database),
    Route("GET", DATABASE, roles.database),
    Route("PATCH", DATABASE, roles.update_database),
    Route("DELETE", DATABASE, roles.delete_database),
    Route("GET", BRANCH + "/roles", roles.roles),
    Route("POST", BRANCH + "/roles", roles.create_role),
    Route("GET", ROLE, roles.role),
    Route("DELETE", ROLE, roles.delete_role),
    Route("GET", ROLE + "/reveal_password", roles.reveal_password),
    Route("POST", ROLE + "/reset_password", roles.reset_password),
    Route("GET", PROJECT + "/endpoints", endpoints.index),
    Route("POST", PROJECT + "/endpoints", endpoints.create),
    Route("GET", ENDPOINT, endpoints.show),
    Route("PATCH", ENDPOINT, endpoints.update),
    Route("DELETE", ENDPOINT, endpoints.delete),
    Route("POST", ENDPOINT + "/start", endpoints.start),
    Route("POST", ENDPOINT + "/suspend", endpoints.suspend),
    Route("POST", ENDPOINT + "/restart", endpoints.restart),
)


def find(method: str, path: str) -> tuple[Route, Mapping[str, str]]:
    """The first route that fits: fixed words stand before placeholders in the table. Raises Problem 404."""
    for route in ROUTES:
        match = route.pattern.fullmatch(path) if route.method == method else None
        if match:
            return route, match.groupdict()
    raise problems.no_route()
