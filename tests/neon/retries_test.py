"""The retry table, row by row."""

from __future__ import annotations

import pytest

from neon_hooks.neon.answers import NO_ANSWER, NOT_SENT, Answer
from neon_hooks.neon.retries import CAP, pause, worth_another

ALL = {"GET", "POST", "DELETE"}
SAFE = {"GET", "DELETE"}


@pytest.mark.parametrize(
    "answer, methods",
    [
        (Answer(423, message="project already has running conflicting operations"), ALL),
        (Answer(429), ALL),
        (Answer(503), ALL),
        (Answer(422, message="Branch not ready yet"), ALL),
        (Answer(422, message="branches limit exceeded", code="BRANCHES_LIMIT_EXCEEDED"), set()),
        (Answer(NOT_SENT, message="connection refused"), ALL),
        (Answer(NOT_SENT, message="[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), set()),
        (Answer(NO_ANSWER), SAFE),
        (Answer(500), SAFE),
        (Answer(502), SAFE),
        (Answer(524), SAFE),
        *[(Answer(status), set()) for status in (301, 400, 401, 403, 404, 409, 412, 422)],
    ],
)
def test_an_answer_is_repeated_only_where_that_is_safe(answer, methods):
    assert {m for m in ALL if worth_another(m, answer, attempt=1, fresh=False)} == methods


def test_a_404_is_repeated_only_about_something_fresh():
    assert worth_another("GET", Answer(404), attempt=1, fresh=True)
    assert not worth_another("GET", Answer(404), attempt=1, fresh=False)


@pytest.mark.parametrize(
    "answer, patient", [(Answer(423), True), (Answer(NOT_SENT), False), (Answer(500), False)]
)
def test_a_lock_is_waited_for_but_a_fault_is_not_repeated_for_ever(answer, patient):
    assert worth_another("GET", answer, attempt=50, fresh=False) is patient


@pytest.mark.parametrize("attempt", [1, 2, 5, 40, 100_000])
def test_a_pause_is_jittered_and_bounded(attempt):
    found = {pause(Answer(423), attempt=attempt) for _ in range(50)}
    assert len(found) > 1
    assert all(0.05 <= seconds <= min(CAP, 0.25 * 2 ** min(attempt, 10)) for seconds in found)


def test_a_pause_is_never_shorter_than_neon_asks_for():
    assert all(pause(Answer(429, retry_after=9.0), attempt=1) >= 9.0 for _ in range(20))
