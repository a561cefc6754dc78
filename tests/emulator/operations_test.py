"""Operations at the emulator: their order, the lock that they are, and expiry in the background."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from neon_hooks.emulator.faults import Fault
from neon_hooks.emulator.model import shown
from neon_hooks.emulator.problems import CONFLICTING_OPERATIONS
from tests.fix_emulator import COMPUTE, Api, query


def test_operations_run_one_after_the_other(special: Callable[..., Api]) -> None:
    api = special(operation_seconds=0.4)
    made = api.post("~/branches", {"endpoints": COMPUTE})
    seen = set()
    while (found := tuple(item["status"] for item in reversed(api.operations()))) != ("finished", "finished"):
        seen.add(found)
        time.sleep(0.02)
    assert seen == {("running", "scheduling"), ("finished", "running")}
    assert query(made, "SELECT 1") == [(1,)]
    assert all(item["total_duration_ms"] >= 400 for item in api.operations())


def test_nothing_is_reachable_before_the_compute_has_started(special: Callable[..., Api]) -> None:
    api = special(operation_seconds=0.4)
    made = api.post("~/branches", {"endpoints": COMPUTE})
    with pytest.raises(Exception, match="refused"):
        query(made, "SELECT 1")
    assert api.get(f"~/branches/{made['branch']['id']}")["branch"]["current_state"] == "init"
    api.settle()
    assert query(made, "SELECT 1") == [(1,)]


MUTATIONS = {
    "create": ("POST", "~/branches"),
    "create anonymized": ("POST", "~/branch_anonymized"),
    "delete": ("DELETE", "~/branches/br-x"),
    "change": ("PATCH", "~/branches/br-x"),
    "restore": ("POST", "~/branches/br-x/restore"),
    "a role": ("POST", "~/branches/br-x/roles"),
    "a database": ("POST", "~/branches/br-x/databases"),
    "a compute": ("POST", "~/endpoints"),
    "suspend": ("POST", "~/endpoints/ep-x/suspend"),
}


@pytest.mark.parametrize(("method", "path"), MUTATIONS.values(), ids=MUTATIONS)
def test_whatever_changes_is_locked_out_meanwhile(api: Api, method: str, path: str) -> None:
    api.emulator.disturb(0.3)
    assert api.refused(method, path, {}) == (423, CONFLICTING_OPERATIONS)
    assert api.get("~/branches")["branches"]
    api.settle()


def test_the_systems_own_operations_are_listed(api: Api) -> None:
    api.emulator.disturb(0.0, "check_availability")
    api.settle()
    newest = api.operations()[0]
    assert (newest["action"], newest["status"]) == ("check_availability", "finished")
    assert api.get(f"~/operations/{newest['id']}")["operation"] == newest
    assert api.refused("GET", "~/operations/00000000-0000-0000-0000-000000000000")[0] == 404


def test_the_list_is_paged_from_the_newest_on(special: Callable[..., Api]) -> None:
    api = special()
    for _ in range(3):
        api.emulator.disturb(0.0)
    api.settle()
    everything = [item["id"] for item in api.operations()]
    first = api.get("~/operations", limit=2)
    rest = api.get("~/operations", limit=2, cursor=first["pagination"]["cursor"])
    assert [item["id"] for item in first["operations"] + rest["operations"]] == everything
    assert "pagination" not in rest


def _create_with(api: Api, ending: str, action: str = "", seconds: float = 0.3) -> dict[str, object]:
    api.emulator.faults.add(
        Fault(f"operation-{ending}", "POST", "/branches$", action=action, seconds=seconds)
    )
    return dict(api.post("~/branches", {"endpoints": COMPUTE}))


def test_a_failed_operation_is_tried_again(api: Api) -> None:
    made = _create_with(api, "failed", "start_compute")
    until = time.monotonic() + 5
    while (operation := api.operations()[0])["status"] != "failed":
        assert time.monotonic() < until
    assert operation["failures_count"] == 1 and operation["error"] and "retry_at" in operation
    assert api.refused("POST", "~/branches", {})[0] == 423
    api.settle()
    operation = api.operations()[0]
    assert (
        operation["status"] == "finished" and operation["failures_count"] == 1 and "retry_at" not in operation
    )
    assert query(made, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("ending", ["error", "cancelled"])
def test_what_follows_an_operation_that_ends_badly_is_cancelled(api: Api, ending: str) -> None:
    made = _create_with(api, ending)
    api.settle()
    start, create = api.operations()[:2]
    assert (create["status"], start["status"]) == (ending, "cancelled")
    branch = made["branch"]
    assert isinstance(branch, dict)
    assert api.get(f"~/branches/{branch['id']}")["branch"]["current_state"] == "init"
    assert api.refused("POST", "~/branches", {"branch": {"parent_id": branch["id"]}}) == (
        422,
        "branch not ready yet",
    )
    api.remove(branch["id"])


def test_a_stuck_operation_locks_the_project_until_it_is_released(api: Api) -> None:
    _create_with(api, "stuck", "start_compute")
    time.sleep(0.2)
    assert api.operations()[0]["status"] == "running"
    assert api.refused("POST", "~/branches", {})[0] == 423
    api.emulator.release_stuck()
    api.settle()
    assert api.operations()[0]["status"] == "finished"


def test_closing_does_not_wait_for_what_is_stuck(special: Callable[..., Api]) -> None:
    api = special()
    _create_with(api, "stuck")
    started = time.monotonic()
    api.emulator.close()
    assert time.monotonic() - started < 5


def _expiring(api: Api, seconds: float) -> tuple[str, datetime]:
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
    return api.create("short", expires_at=shown(moment))["branch"]["id"], moment


def _gone_at(api: Api, neon_branch_id: str) -> datetime:
    until = time.monotonic() + 20
    while any(item["id"] == neon_branch_id for item in api.emulator.neon_branches()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return datetime.now(UTC)


def test_what_has_expired_is_deleted_with_its_compute(api: Api) -> None:
    neon_branch_id, moment = _expiring(api, 2)
    uri = api.get(
        "~/connection_uri", branch_id=neon_branch_id, database_name="neondb", role_name="neondb_owner"
    )["uri"]
    assert moment <= _gone_at(api, neon_branch_id) < moment + timedelta(seconds=3)
    api.settle()
    with pytest.raises(Exception, match="refused"):
        query(uri, "SELECT 1")
    deleted = api.get("~/branches", include_deleted="true", search=neon_branch_id)["branches"][0]
    assert deleted["recovery"]["deletion_method"] == "ttl"


def test_the_background_job_may_be_late(special: Callable[..., Api]) -> None:
    api = special(expiry_lateness=1.5)
    neon_branch_id, moment = _expiring(api, 1)
    assert _gone_at(api, neon_branch_id) >= moment + timedelta(seconds=1.5)


def test_the_background_job_waits_while_the_project_is_locked(api: Api) -> None:
    neon_branch_id, moment = _expiring(api, 4)  # far enough away to be locked before, on a busy machine
    api.emulator.disturb(7.0)
    locked_until = datetime.now(UTC) + timedelta(seconds=6.5)
    assert _gone_at(api, neon_branch_id) >= locked_until > moment
