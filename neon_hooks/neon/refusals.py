"""What a refusal of the Neon API means for the user: one sentence and one remedy. Pure.

Codes are those that Neon is known to send; the list is not complete and a code can be empty, so the
HTTP status decides where no code is known.
"""

from __future__ import annotations

from collections.abc import Mapping

from neon_hooks.errors import Unavailable
from neon_hooks.neon.answers import NO_ANSWER, NOT_SENT, Answer
from neon_hooks.settings import KEY_PAGE

BRANCHES_LIMIT = "BRANCHES_LIMIT_EXCEEDED"
PLAN = "see the plan's limits at https://neon.com/docs/introduction/plans"
QUOTA = f"the project's quota is used up until the next billing period, or choose another plan; {PLAN}"
AGAIN = "push again in a moment; https://neonstatus.com shows whether Neon has a fault"

BY_CODE: Mapping[str, str] = {
    BRANCHES_LIMIT: f"`neon-hooks sweep` removes left-overs of neon-hooks; {PLAN}",
    "ROOT_BRANCHES_LIMIT_EXCEEDED": "a schema-only Neon database branch counts as a root; set"
    f' `data = "full"` or delete another root; {PLAN}',
    "ACTIVE_ENDPOINTS_LIMIT_EXCEEDED": f"too many computes are active; wait until some suspend; {PLAN}",
    "ENDPOINTS_LIMIT_EXCEEDED": f"the project has too many computes; delete some; {PLAN}",
    "COMPUTE_TIME_EXCEEDED": QUOTA,
    "NON_PRIMARY_BRANCH_COMPUTE_TIME_EXCEEDED": QUOTA,
    "DATA_TRANSFER_LIMIT_EXCEEDED": QUOTA,
    "BRANCH_SIZE_LIMIT_EXCEEDED_THRESHOLD": f"the data is larger than the plan allows; {PLAN}",
}
BY_STATUS: Mapping[int, str] = {
    401: "the key in NEON_API_KEY is wrong or revoked; make a new one,"
    f" best for this project only, at {KEY_PAGE}",
    403: f"the key in NEON_API_KEY may not do this; make one for this project at {KEY_PAGE}",
    404: "check `project_id` (NEON_PROJECT_ID) and that the key in NEON_API_KEY can see that project",
    409: "another Neon database branch or compute stands in the way; push again",
    412: "a setting of the Neon project forbids it (for passwords: Project settings, Security);"
    " change it in the Neon Console",
    429: AGAIN,
}


class Refused(Unavailable):
    """Neon answered, and the answer is no."""

    def __init__(self, message: str, *, fix: str, answer: Answer) -> None:
        super().__init__(message, fix=fix)
        self.status = answer.status
        self.code = answer.code
        self.gone = answer.status == 404 or (answer.status == 422 and _not_found(answer.message))


class AnswerLost(Unavailable):
    """A POST went out, and no answer says whether Neon carried it out."""


def _not_found(message: str) -> bool:
    return any(words in message.lower() for words in ("not found", "not exist", "already deleted"))


def error(to: str, answer: Answer, *, method: str, host: str) -> Unavailable:
    """The error for a request that was made ``to`` do something ("create ...")."""
    if answer.status == NOT_SENT:
        return Unavailable(
            f"cannot reach the Neon API at {host}: {answer.message}",
            fix="check the network, the proxy settings and NEON_API_HOST",
        )
    in_doubt = answer.status == NO_ANSWER or answer.status >= 500 or answer.good
    if in_doubt and method == "POST":
        return AnswerLost(f"no clear answer of the Neon API at {host} to {to}: {answer.reason}", fix=AGAIN)
    if in_doubt:
        return Unavailable(f"the Neon API at {host} could not {to}: {answer.reason}", fix=AGAIN)
    return Refused(f"Neon refused to {to}: {answer.reason}", fix=_fix(answer), answer=answer)


def _fix(answer: Answer) -> str:
    if answer.code in BY_CODE:
        return BY_CODE[answer.code]
    if "LIMIT" in answer.code or "EXCEEDED" in answer.code:
        return f"a limit of the plan is reached; {PLAN}"
    return BY_STATUS.get(answer.status, "see the message; the Neon Console shows the project's state")
