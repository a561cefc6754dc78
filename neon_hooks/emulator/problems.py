"""Neon's refusals: status, code and message of each. Nothing here knows how they are sent.

Where Neon documents no code, its API sends the empty string.
"""

from __future__ import annotations

CONFLICTING_OPERATIONS = (
    "project already has running conflicting operations, scheduling of new ones is prohibited"
)


class Problem(Exception):
    """An answer other than success."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


def bad_request(message: str) -> Problem:
    return Problem(400, message)


def unauthorized() -> Problem:
    return Problem(401, "supplied credentials do not pass authentication")


def not_found(what: str) -> Problem:
    return Problem(404, f"{what} not found")


def no_route() -> Problem:
    return Problem(404, "this route does not exist. check the API reference for the list of available routes")


def users_only() -> Problem:
    return Problem(404, "this endpoint is not allowed for organization API keys")


def locked() -> Problem:
    return Problem(423, CONFLICTING_OPERATIONS)


def name_taken(name: str) -> Problem:
    return Problem(409, f'branch already exists; branch_name:"{name}"', "BRANCH_ALREADY_EXISTS")


def exists(what: str) -> Problem:
    return Problem(409, f"{what} already exists")


def too_many(limit: int) -> Problem:
    return Problem(422, f"branches limit exceeded, the limit is {limit}", "BRANCHES_LIMIT_EXCEEDED")


def too_many_roots(limit: int) -> Problem:
    return Problem(422, f"root branches limit exceeded, the limit is {limit}", "ROOT_BRANCHES_LIMIT_EXCEEDED")


def refused(message: str) -> Problem:
    """Well-formed, and against the rules of the project."""
    return Problem(422, message)


def no_passwords() -> Problem:
    return Problem(412, "Storing passwords is disabled")


def no_history() -> Problem:
    return bad_request("the emulator keeps no history: LSNs and timestamps are not supported")


def no_pooler() -> Problem:
    return bad_request("the emulator has no connection pooler: use pooled=false")
