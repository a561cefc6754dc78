"""What is asked of Neon to make a test Neon database branch, and how to find one whose answer was lost."""

from __future__ import annotations

import time
from collections.abc import Container, Sequence
from datetime import datetime

from neon_hooks.errors import Unavailable
from neon_hooks.neon import ownership
from neon_hooks.neon.client import NeonClient
from neon_hooks.neon.models import Branch, Json
from neon_hooks.neon.ownership import Identity
from neon_hooks.neon.refusals import AGAIN, BRANCHES_LIMIT, Refused
from neon_hooks.neon.waiting import pauses
from neon_hooks.settings import MaskingRule

SCHEMA_ONLY, ANONYMIZED = "schema-only", "anonymized"


def rfc3339(moment: datetime) -> str:
    """UTC and whole seconds: the form that `expires_at` has in Neon's answers."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def order(
    parent: Branch, identity: Identity, *, expires_at: str, data: str, masking: Sequence[Json] = ()
) -> Json:
    """The body of the request. No suspend timeout: the Free plan refuses any (412)."""
    wish: dict[str, object] = {"parent_id": parent.id, "name": identity.name, "expires_at": expires_at}
    if data == SCHEMA_ONLY:
        wish["init_source"] = "schema-only"
    annotation = dict(identity.annotation)
    made = {"branch": wish, "endpoints": [{"type": "read_write"}]}
    if data == ANONYMIZED:
        return {
            "branch_create": made,
            "masking_rules": list(masking),
            "start_anonymization": True,
            "annotation_value": annotation,
        }
    return {**made, "annotation_value": annotation}


def masking_rules(rules: Sequence[MaskingRule], database: str) -> list[Json]:
    """As the API wants them (schema MaskingRule). ``database`` is for rules that name none."""
    return [
        {
            "database_name": rule.database or database,
            "schema_name": rule.schema,
            "table_name": rule.table,
            "column_name": rule.column,
            **({"masking_function": rule.function} if rule.function else {"masking_value": rule.value}),
        }
        for rule in rules
    ]


def check(branch: Branch, parent: Branch, *, data: str) -> None:
    """Raise Unavailable when what Neon made is not what we asked for; the caller deletes it."""
    if not branch.expires_at:
        raise Unavailable(
            "Neon made the test Neon database branch without an expiry; it was not used",
            fix="nothing was run; see whether the project's plan and region support expires_at",
        )
    if data != SCHEMA_ONLY and branch.parent_id not in ("", parent.id):
        raise Unavailable("Neon made the test Neon database branch from another parent", fix=AGAIN)


def seek(client: NeonClient, identity: Identity, *, others: Container[str], until: float) -> Branch | None:
    """What ``identity`` asked for, if it was made.

    A request can still be carried out after its answer is lost: we look at least once, and until the
    moment ``until`` (monotonic clock).
    """
    looks = pauses(client.deadline, "Neon to tell whether the test Neon database branch was made")
    while True:
        next(looks)
        for branch in client.branches(search=identity.name):
            if identity.made(branch) and branch.id not in others:
                return branch
        if time.monotonic() >= until:
            return None


def with_left_overs(error: Refused, branches: Sequence[Branch], now: datetime) -> Refused:
    """A limit's error that says how many left-overs of ours use it up."""
    if error.code != BRANCHES_LIMIT:
        return error
    count = sum(not kept for _, kept in ownership.judged(branches, now))
    error.fix = f"left-overs of neon-hooks in this project: {count}; {error.fix}"
    return error
