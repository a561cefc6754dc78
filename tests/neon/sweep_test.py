"""The sweep removes left-overs that carry our annotation, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.emulator.faults import Fault
from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.neon import ownership
from neon_hooks.neon.creation import rfc3339
from neon_hooks.neon.sweep import sweep
from tests.fix_neon import call, create, emulator_settings, remove, settle


def of_a_dead_run(neon, **changes) -> dict:
    """As a run leaves it that was killed: its process is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    now = datetime.now(timezone.utc)
    identity = ownership.new_identity("b" * 40, "main", now)
    note = {**identity.annotation, ownership.PID: str(process.pid), **changes}
    body = {"branch": {"name": identity.name, "expires_at": rfc3339(now + timedelta(hours=4))}}
    made = call(neon, "POST", "/branches", {**body, "annotation_value": note})["branch"]
    settle(neon)
    return made


def swept(neon, *, dry_run=False, **changes):
    return sweep(emulator_settings(neon, **changes), dry_run=dry_run, deadline=Deadline.after(30))


def ids(neon) -> set[str]:
    return {found["id"] for found in neon.neon_branches() if not found["default"]}


def deletions(neon) -> list[str]:
    return [request.path.rpartition("/")[2] for request in neon.requests if request.method == "DELETE"]


def test_a_left_over_is_removed_and_named(neon):
    made = of_a_dead_run(neon)
    result = swept(neon)
    assert [(b.id, b.name, b.parent_name, b.deleted) for b in result.deleted] == [
        (made["id"], made["name"], "main", True)
    ]
    assert not result.would_delete and not result.kept and not ids(neon)


def test_a_dry_run_only_says_so(neon):
    made = of_a_dead_run(neon)
    result = swept(neon, dry_run=True)
    assert [b.id for b in result.would_delete] == [made["id"]]
    assert not result.deleted and {request.method for request in neon.requests[-1:]} == {"GET"}
    assert ids(neon) == {made["id"]}
    remove(neon, [made["id"]])


def test_foreign_ones_are_not_touched_and_not_listed(neon):
    soon = rfc3339(datetime.now(timezone.utc) + timedelta(hours=1))
    foreign = [
        create(neon, "dev"),
        create(neon, "neon-hooks/main/1a2b3c4d-00000000"),
        create(neon, "preview", annotation_value={"tool": "other", "github-pr": "7"}),
        call(neon, "POST", "/branches", {"branch": {"name": "temporary", "expires_at": soon}})["branch"],
    ]
    settle(neon)
    neon.journal.clear()
    result = swept(neon)
    assert not result.deleted and not result.kept and not deletions(neon)
    remove(neon, [made["id"] for made in foreign])


def test_one_of_another_machine_that_may_still_run_is_kept(neon):
    made = of_a_dead_run(neon, **{ownership.PLACE: "elsewhere", ownership.HOST: "laptop-of-b"})
    neon.journal.clear()
    result = swept(neon)
    assert [kept.neon_branch.id for kept in result.kept] == [made["id"]]
    assert "laptop-of-b" in result.kept[0].reason
    assert not deletions(neon)
    remove(neon, [made["id"]])


def test_one_whose_expiry_was_taken_away_is_kept(neon):
    made = of_a_dead_run(neon)
    call(neon, "PATCH", f"/branches/{made['id']}", {"branch": {"expires_at": None}})
    neon.journal.clear()
    result = swept(neon)
    assert "expires_at" in result.kept[0].reason and not deletions(neon)
    remove(neon, [made["id"]])


def test_one_that_neon_refuses_to_delete_does_not_stop_the_others(neon):
    made = {of_a_dead_run(neon)["id"], of_a_dead_run(neon)["id"]}
    neon.faults.add(Fault(method="DELETE", status=403, message="not you"))
    result = swept(neon)
    assert len(result.deleted) == 1 and "not you" in result.kept[0].reason
    assert ids(neon) == made - {result.deleted[0].id}
    remove(neon, list(ids(neon)))


def test_nothing_to_do_is_no_error(neon):
    result = swept(neon)
    assert (result.deleted, result.would_delete, result.kept) == ((), (), ())


def test_without_a_key_or_a_project_it_says_what_is_missing(neon):
    with pytest.raises(Unavailable, match="NEON_API_KEY"):
        swept(neon, api_key="")
    with pytest.raises(UsageError):
        swept(neon, project_id="")


def test_the_project_can_be_found_by_the_connection_string(neon):
    made = of_a_dead_run(neon)
    settings = emulator_settings(neon, project_id="")
    result = sweep(settings, dry_run=False, deadline=Deadline.after(30), connection_string=neon.main.uri())
    assert [b.id for b in result.deleted] == [made["id"]]
