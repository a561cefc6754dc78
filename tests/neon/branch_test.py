"""The life of a test Neon database branch at the emulator: what is made, handed out, waited for, deleted."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import psycopg
import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.emulator.faults import Fault
from neon_hooks.errors import DeadlineExceeded, NeonHooksError, Unavailable, UsageError
from neon_hooks.neon import branch as life
from neon_hooks.neon import ownership
from tests.fix_neon import call, create, emulator_settings, remove, settle

SHA = "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"
OPERATION = r"/operations/"


@pytest.fixture
def start(neon):
    def start(seconds=30.0, said=None, **changes):
        settings = emulator_settings(neon, **changes)
        said = [] if said is None else said
        deadline = Deadline.after(seconds)
        return life.test_neon_branch(
            settings, git_sha=SHA, git_ref="refs/heads/feature/x", deadline=deadline, say=said.append
        )

    return start


def fails(branch, error=Unavailable) -> NeonHooksError:
    """The error of a whole life; nothing of it may be secret."""
    with pytest.raises(error) as caught, branch as entered:
        entered.dsn()
    secrets = (branch._settings.api_key, "npg_")
    shown = caught.value.message + caught.value.fix + branch.left_over
    assert not any(secret in shown for secret in secrets if secret)
    return caught.value


def posts(neon) -> list:
    return [request for request in neon.requests if request.method == "POST"]


def names(neon) -> list[str]:
    return [found["name"] for found in neon.neon_branches()]


def main_id(neon) -> str:
    return next(found["id"] for found in neon.neon_branches() if found["default"])


def test_a_life_from_the_creation_to_the_deletion(neon, start):
    said = []
    with start(said=said) as branch:
        assert branch.facts.parent_name == "main" and not branch.facts.deleted
        dsn = branch.dsn()
        with psycopg.connect(dsn.uri()) as connection:
            assert connection.execute("select current_database()").fetchone() == ("neondb",)
        assert dsn.authority != neon.main.authority
        assert branch.facts.name in names(neon)
    assert branch.facts.deleted and branch.left_over == "" and names(neon) == ["main"]
    assert said[0] == "creating a test Neon database branch" and "waiting for its compute" in said
    assert "npg_" not in repr(dsn) + str(branch.facts)


def test_the_very_request_that_creates_it_has_the_expiry_and_says_whose_it_is(neon, start):
    with start(ttl=4 * 3600.0) as branch:
        (body,) = [request.body for request in posts(neon)]
    expires_at = datetime.fromisoformat(body["branch"]["expires_at"])
    assert body["branch"]["expires_at"].endswith("Z") and "." not in body["branch"]["expires_at"]
    assert abs(expires_at - datetime.now(timezone.utc) - timedelta(hours=4)) < timedelta(minutes=1)
    assert branch.facts.expires_at == body["branch"]["expires_at"]
    assert body["annotation_value"][ownership.GIT_SHA] == SHA
    assert body["annotation_value"][ownership.GIT_BRANCH] == "feature/x"
    assert body["endpoints"] == [{"type": "read_write"}]
    assert branch.facts.name.startswith("neon-hooks/feature-x/1a2b3c4d-")


def test_no_request_changes_anything_but_the_test_neon_database_branch(neon, start):
    with start() as branch:
        branch.dsn()
    changing = [request for request in neon.requests if request.method not in ("GET", "HEAD")]
    project = f"/api/v2/projects/{neon.project_id}"
    assert [(request.method, request.path.removeprefix(project)) for request in changing] == [
        ("POST", "/branches"),
        ("DELETE", f"/branches/{branch.facts.id}"),
    ]
    assert branch.facts.id != main_id(neon)
    assert {request.user_agent.partition("/")[0] for request in neon.requests} == {"neon-hooks"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_ends_the_block_it_is_deleted(neon, start, error):
    with pytest.raises(error), start() as branch:
        raise error
    assert branch.facts.deleted and names(neon) == ["main"]


@pytest.mark.parametrize("by", ["id", "name"])
def test_the_parent_can_be_chosen(neon, start, by):
    made = create(neon, "staging")
    try:
        with start(parent=made[by]) as branch:
            assert branch.facts.parent_name == "staging"
            parents = {found["id"]: found.get("parent_id") for found in neon.neon_branches()}
            assert parents[branch.facts.id] == made["id"]
    finally:
        remove(neon, [made["id"]])


def test_an_unknown_parent_is_refused_before_anything_is_made(neon, start):
    error = fails(start(parent="production"), UsageError)
    assert "'production'" in error.message and "main" in error.fix and not posts(neon)


def test_a_parent_that_expires_is_refused_before_anything_is_made(neon, start):
    soon = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"branch": {"name": "preview", "expires_at": soon}}
    made = call(neon, "POST", "/branches", body)["branch"]
    neon.journal.clear()
    assert "preview" in fails(start(parent="preview"), UsageError).message
    assert not posts(neon)
    remove(neon, [made["id"]])


def test_several_databases_need_a_choice(neon, start):
    path = f"/branches/{main_id(neon)}/databases"
    call(neon, "POST", path, {"database": {"name": "shop", "owner_name": "neondb_owner"}})
    settle(neon)
    try:
        assert all(name in fails(start(), UsageError).fix for name in ("neondb", "shop"))
        assert "neondb" in fails(start(database="nope"), UsageError).fix
        with start(database="shop") as branch:
            assert branch.dsn().database == "shop"
            assert branch.dsn("neondb").database == "neondb"
    finally:
        call(neon, "DELETE", f"{path}/shop")
        settle(neon)


def test_several_roles_need_a_choice(neon, start):
    path = f"/branches/{main_id(neon)}/roles"
    call(neon, "POST", path, {"role": {"name": "migrator"}})
    settle(neon)
    try:
        error = fails(start(), UsageError)
        assert "migrator" in error.fix and "neondb_owner owns" in error.fix
        with start(role="migrator") as branch:
            dsn = branch.dsn()
            assert dsn.user == "migrator"
            psycopg.connect(dsn.uri()).close()
    finally:
        call(neon, "DELETE", f"{path}/migrator")
        settle(neon)


def test_a_schema_only_copy_has_no_rows(neon, start):
    with psycopg.connect(neon.main.uri(), autocommit=True) as connection:
        connection.execute("create table t as select 1 as a")
    try:
        with start(data="schema-only") as branch:
            with psycopg.connect(branch.dsn().uri()) as connection:
                assert connection.execute("select count(*) from t").fetchone() == (0,)
            assert branch.facts.parent_name == "main"
    finally:
        with psycopg.connect(neon.main.uri(), autocommit=True) as connection:
            connection.execute("drop table t")


def test_an_anonymized_copy_is_waited_for_and_carries_our_annotation(neon, start):
    neon.faults.add(Fault(effect="status", method="GET", path="anonymized_status", status=404))
    with start(data="anonymized") as branch:
        branch.dsn()
    asked = [request for request in neon.requests if request.path.endswith("/anonymized_status")]
    assert asked and posts(neon)[0].path.endswith("/branch_anonymized")
    assert posts(neon)[0].body["start_anonymization"] is True
    assert posts(neon)[0].body["annotation_value"][ownership.TOOL] == "neon-hooks"


LIVED_THROUGH = {
    "lock at the creation": Fault(method="POST", path="/branches", status=423, times=3),
    "rate limit, seconds": Fault(method="POST", path="/branches", status=429, retry_after=1),
    "rate limit, date": Fault(method="GET", status=429, retry_after=1, retry_after_date=True),
    "rate limit, no header": Fault(method="POST", path="/branches", status=429, times=2),
    "unavailable": Fault(status=503, times=2),
    "parent not ready": Fault(method="POST", path="/branches", status=422),
    "404 after the creation": Fault(method="GET", path="/databases", status=404, times=2),
    "operation not visible yet": Fault(method="GET", path=OPERATION, status=404),
    "error 500 at a GET": Fault(method="GET", path="/endpoints", status=500, times=2),
    "page of HTML at a GET": Fault(effect="html", method="GET", path="/connection_uri", status=524),
    "lost GET": Fault(effect="drop-before", method="GET", times=2),
    "lost creation": Fault(effect="drop-after", method="POST", path="/branches"),
    "lost deletion": Fault(effect="drop-after", method="DELETE"),
    "lock at the deletion": Fault(method="DELETE", status=423, times=3),
    "error 500 at the deletion": Fault(method="DELETE", status=500),
    "404 at the deletion": Fault(method="DELETE", status=404),
    "a later version of the API": Fault(effect="future", times=0),
    "operation that fails and goes on": Fault(effect="operation-failed", method="POST", seconds=0.5),
    "slow": Fault(effect="slow", times=3),
    "deletion that fails and goes on": Fault(effect="operation-failed", method="DELETE"),
}


@pytest.mark.parametrize("fault", LIVED_THROUGH.values(), ids=LIVED_THROUGH)
def test_trouble_that_passes_is_lived_through(neon, start, fault):
    neon.faults.add(fault)
    with start() as branch:
        psycopg.connect(branch.dsn().uri()).close()
    assert branch.facts.deleted and branch.left_over == "" and names(neon) == ["main"]
    made = [request for request in posts(neon) if request.status in (0, 201)]
    assert len(made) == 1


def test_a_disturbance_by_neon_itself_is_waited_for(neon, start):
    neon.disturb(0.8)
    with start() as branch:
        branch.dsn()
        neon.disturb(0.8)
    assert branch.facts.deleted


REFUSED = {
    "wrong key": (Fault(status=401, times=0), "NEON_API_KEY"),
    "not allowed": (Fault(method="POST", status=403), "NEON_API_KEY"),
    "passwords not stored": (Fault(path="/connection_uri", status=412), "Security"),
    "limit": (Fault(method="POST", status=422, message="x", code="ROOT_BRANCHES_LIMIT_EXCEEDED"), "root"),
}


@pytest.mark.parametrize("fault, says", REFUSED.values(), ids=REFUSED)
def test_a_refusal_ends_it_at_once_with_a_remedy(neon, start, fault, says):
    neon.faults.add(fault)
    started = time.monotonic()
    assert says in fails(start(seconds=60)).fix
    assert time.monotonic() - started < 30


def test_a_key_that_neon_does_not_know_is_refused(neon, start):
    error = fails(start(api_key="napi_wrong"))
    assert "401" in error.message and "napi_wrong" not in error.message + error.fix


def test_no_key_sends_nothing(neon, start):
    assert "NEON_API_KEY is not set" in fails(start(api_key="")).message
    assert not neon.requests


def test_no_project_is_asked_for(neon, start):
    assert "NEON_PROJECT_ID" in fails(start(project_id=""), UsageError).fix


def test_an_unknown_project_is_refused(neon, start):
    assert "project_id" in fails(start(project_id="no-such-project")).fix


def test_a_project_is_found_by_the_connection_string(neon):
    settings = emulator_settings(neon, project_id="")
    with life.test_neon_branch(
        settings,
        git_sha=SHA,
        git_ref="main",
        deadline=Deadline.after(30),
        say=lambda words: None,
        connection_string=neon.main.uri(),
    ) as branch:
        assert branch.dsn().authority != neon.main.authority
    assert branch.facts.deleted


def test_the_branch_limit_says_how_many_left_overs_there_are(neon, start):
    made = [create(neon, f"b{number}")["id"] for number in range(5)]
    error = fails(start())
    assert "BRANCHES_LIMIT_EXCEEDED" in error.message
    assert "left-overs of neon-hooks in this project: 0" in error.fix and "neon-hooks sweep" in error.fix
    remove(neon, made)


@pytest.mark.parametrize("ending", ["error", "cancelled"])
@pytest.mark.parametrize("action", ["create_branch", "start_compute"])
def test_an_operation_that_ends_badly_is_named(neon, start, ending, action):
    neon.faults.add(Fault(effect=f"operation-{ending}", method="POST", action=action))
    error = fails(start())
    assert action in error.message and ending in error.message and "injected failure" in error.message
    assert names(neon) == ["main"]


def test_an_operation_that_never_ends_is_left_at_the_deadline_and_said(neon, start):
    neon.faults.add(Fault(effect="operation-stuck", method="POST", action="start_compute"))
    started = time.monotonic()
    branch = start(seconds=1.5)
    error = fails(branch, DeadlineExceeded)
    assert "start_compute" in error.message
    assert time.monotonic() - started < 1.5 + life.CLEAN_UP + 20
    assert not branch.facts.deleted
    assert branch.facts.name in branch.left_over and branch.facts.expires_at in branch.left_over
    neon.release_stuck()
    settle(neon)
    remove(neon, [branch.facts.id])


def test_a_lock_that_outlasts_the_deadline_makes_nothing(neon, start):
    neon.disturb(3.0)
    branch = start(seconds=1.0)
    assert "conflicting operations" in fails(branch, DeadlineExceeded).message
    assert names(neon) == ["main"] and branch.left_over == "" and not branch.facts.id
    settle(neon)


def test_a_lock_that_goes_away_after_the_deadline_lets_the_deletion_through(neon, start):
    with start(seconds=3.0) as branch:
        branch.dsn()
        neon.disturb(4.0)
    assert branch.facts.deleted and branch.left_over == ""


@pytest.mark.parametrize("ending", ["error", "cancelled"])
def test_a_deletion_that_neon_accepts_and_does_not_carry_out_is_repeated(neon, start, ending):
    neon.faults.add(Fault(effect=f"operation-{ending}", method="DELETE", action="delete_timeline"))
    with start() as branch:
        pass
    assert branch.facts.deleted and names(neon) == ["main"]


def test_a_deletion_that_fails_every_time_is_said(neon, start):
    neon.faults.add(Fault(effect="operation-error", method="DELETE", action="delete_timeline", times=0))
    with start() as branch:
        pass
    assert "delete_timeline" in branch.left_over and not branch.facts.deleted
    neon.faults.clear()
    remove(neon, [branch.facts.id])


def test_another_run_at_the_same_time_does_not_disturb(neon, start):
    with start() as one, start() as two:
        assert one.facts.name != two.facts.name
        assert one.dsn().authority != two.dsn().authority
    assert one.facts.deleted and two.facts.deleted


def test_one_that_somebody_else_deleted_is_gone(neon, start):
    with start() as branch:
        branch.wait_until_ready()
        remove(neon, [branch.facts.id])
    assert branch.facts.deleted and branch.left_over == ""


def test_other_work_goes_on_while_neon_works(neon, start):
    neon.faults.add(Fault(effect="operation-failed", method="POST", seconds=4.0))
    started = time.monotonic()
    with start() as branch:
        assert time.monotonic() - started < 4.0
        branch.dsn()
        assert time.monotonic() - started >= 4.0
