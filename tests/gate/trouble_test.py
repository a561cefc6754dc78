"""What goes wrong around a push: keys, limits, the network, signals, deadlines. Never a silent pass."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping

import httpx
import pytest

from neon_hooks.emulator.faults import Fault
from tests.fix_gate import Team
from tests.gate.sql_test import shop

ADD = {"migrations/0002_country.sql": "ALTER TABLE customers ADD COLUMN country text;\n"}
SLEEP = {"migrations/0002_slow.sql": "ALTER TABLE customers ADD COLUMN country text;\nSELECT pg_sleep(60);\n"}


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"NEON_API_KEY": ""}, ["NEON_API_KEY is not set", "https://console.neon.tech/app/settings#api-keys"]),
        ({"NEON_API_KEY": "napi_wrong"}, ["NEON_API_KEY"]),
        ({"NEON_API_HOST": "http://127.0.0.1:9/api/v2"}, ["127.0.0.1:9"]),
        ({"NEON_PROJECT_ID": "no-such-project-1"}, ["404", "`project_id` (NEON_PROJECT_ID)"]),
        ({"NEON_HOOKS_DEADLINE": "1ms"}, ["the deadline of 0.001 s was reached"]),
    ],
)
def test_what_cannot_be_validated_is_stopped_as_unknown_with_reason_and_remedy(
    team: Team, environ: Mapping[str, str], said: list[str]
) -> None:
    pushed = shop(team).push(ADD, environ=environ)
    assert pushed.document["verdict"] == "unknown"
    assert pushed.exit_code == 1  # git's own, for a hook that failed
    assert pushed.document["neon_branch"] is None  # none was made
    for words in ["could not validate: ", "  fix: ", "not validated: migrations/0002_country.sql", *said]:
        assert words in pushed.said
    assert "Traceback" not in pushed.said
    team.assert_main_is_untouched()


@pytest.mark.parametrize(("choice", "passes"), [("warn", True), ("block", False)])
def test_the_team_decides_what_unknown_means(team: Team, choice: str, passes: bool) -> None:
    pushed = shop(team).push(ADD, environ={"NEON_API_KEY": "", "NEON_HOOKS_ON_UNAVAILABLE": choice})
    assert pushed.passed == passes
    assert "could not validate" in pushed.said


def test_a_missing_project_id_is_asked_for(team: Team) -> None:
    pushed = shop(team).push(ADD, environ={"NEON_PROJECT_ID": ""})
    assert not pushed.passed
    assert "NEON_PROJECT_ID" in pushed.said and "fix: " in pushed.said


def test_settings_that_are_wrong_name_the_file_and_the_key(team: Team) -> None:
    pushed = shop(team).push({**ADD, ".neon-hooks.toml": 'parrent = "main"'})
    assert not pushed.passed
    assert ".neon-hooks.toml" in pushed.said and "`parrent`" in pushed.said and "parent" in pushed.said


def test_a_rule_that_does_not_exist_is_refused(team: Team) -> None:
    pushed = shop(team).push({**ADD, ".neon-hooks.toml": '[rules]\nmigration-fail = "off"'})
    assert not pushed.passed and "'migration-fail'" in pushed.said and "migration-fails" in pushed.said


def test_a_full_project_is_told_with_what_can_be_done(team: Team) -> None:
    shop(team)
    url = f"{team.emulator.api_host}/projects/{team.emulator.project_id}/branches"
    with httpx.Client(headers={"Authorization": f"Bearer {team.emulator.api_key}"}, timeout=30) as client:
        for number in range(20):
            answer = client.post(url, json={"branch": {"name": f"somebody-elses-{number}"}})
            if answer.status_code == 422:
                break
            wait_until(lambda: not busy(client, url))
    assert answer.json()["code"] == "BRANCHES_LIMIT_EXCEEDED"
    pushed = team.push(ADD)
    assert pushed.document["verdict"] == "unknown"
    assert "limit" in pushed.said and "  fix: " in pushed.said
    assert all(name.startswith("somebody-elses-") for name in team.left_behind)


def busy(client: httpx.Client, url: str) -> bool:
    operations = client.get(url.replace("/branches", "/operations")).json()["operations"]
    return any(operation["status"] in ("scheduling", "running") for operation in operations)


def test_a_creation_whose_fate_is_unknown_is_not_repeated_and_stops_the_push(team: Team) -> None:
    shop(team)
    team.emulator.faults.add(Fault(path="/branches$", method="POST", effect="drop-before"))
    pushed = team.push(ADD)
    assert pushed.document["verdict"] == "unknown"
    posts = [r for r in team.emulator.requests if r.method == "POST" and r.path.endswith("/branches")]
    assert len(posts) == 1
    team.assert_main_is_untouched()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path="/branches$", method="POST", status=423, times=3),
        Fault(path="/branches$", method="POST", status=429, retry_after=1),
        Fault(path="/branches$", method="POST", status=429, retry_after=1, retry_after_date=True),
        Fault(path="/branches$", method="POST", status=503),
        Fault(path="/branches$", method="POST", effect="drop-after"),
        Fault(path="/connection_uri", status=404),
        Fault(path="/connection_uri", status=422),
        Fault(path="/operations/", effect="html", status=524),
        Fault(path="/operations/", effect="drop-before", times=2),
        Fault(path="/branches$", method="POST", effect="operation-failed"),
        Fault(path="", effect="future", times=0),
        Fault(method="DELETE", status=423, times=2),
        Fault(method="DELETE", effect="drop-after"),
    ],
    ids=lambda fault: f"{fault.method or 'any'} {fault.effect} {fault.status} {fault.path}",
)
def test_a_passing_trouble_at_neon_is_lived_through_and_leaves_nothing(team: Team, fault: Fault) -> None:
    shop(team)
    team.emulator.faults.add(fault)
    pushed = team.push(ADD)
    assert pushed.passed, pushed.said
    created = [r for r in team.emulator.requests if r.method == "POST" and r.path.endswith("/branches") and r.status == 201]
    assert len(created) <= 1
    team.assert_main_is_untouched()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_a_migration_deletes_first(team: Team, signum: signal.Signals) -> None:
    shop(team).clone.commit(SLEEP)
    process = team.start_push()
    wait_until(lambda: "pg_sleep" in running(team))
    os.killpg(process.pid, signum)  # as a terminal does: git dies at once, the hook lives on
    process.communicate(timeout=30)
    wait_until(lambda: not team.left_behind)
    wait_until(lambda: not hooks_alive(team))
    team.assert_main_is_untouched()


def test_a_second_ctrl_c_does_not_stop_the_deletion(team: Team) -> None:
    shop(team).clone.commit(SLEEP)
    team.emulator.faults.add(Fault(method="DELETE", effect="slow", seconds=1.5))
    process = team.start_push()
    wait_until(lambda: "pg_sleep" in running(team))
    for _ in range(3):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.3)
    process.communicate(timeout=30)
    wait_until(lambda: not team.left_behind)
    wait_until(lambda: not hooks_alive(team))


def test_the_deadline_ends_a_migration_that_takes_too_long(team: Team) -> None:
    pushed = shop(team).push(SLEEP, environ={"NEON_HOOKS_DEADLINE": "5s"})
    assert pushed.document["verdict"] == "unknown"
    assert "the deadline of 5 s was reached" in pushed.said
    assert pushed.document["neon_branch"]["deleted"] is True
    team.assert_main_is_untouched()


def test_a_branch_that_cannot_be_deleted_is_named_with_its_expiry(team: Team) -> None:
    shop(team)
    team.emulator.faults.add(Fault(method="DELETE", status=500, times=0))
    pushed = team.push(ADD)
    assert pushed.passed  # the migration was validated; cleaning up is not the developer's fault
    (left,) = team.left_behind
    neon_branch = pushed.document["neon_branch"]
    assert left in pushed.said and neon_branch["expires_at"] in pushed.said
    assert neon_branch["deleted"] is False


def test_two_pushes_at_the_same_time_do_not_disturb_each_other(team: Team) -> None:
    shop(team).clone.commit(ADD)
    first = team.start_push("HEAD:one")
    second = team.start_push("HEAD:two")
    outputs = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], outputs
    created = [r for r in team.emulator.requests if r.method == "POST" and r.path.endswith("/branches") and r.status == 201]
    assert len(created) == 2
    team.assert_main_is_untouched()


def running(team: Team) -> str:
    """The statements that Postgres executes for test Neon database branches, as `ps` shows them."""
    listed = subprocess.run(("ps", "-eo", "args"), capture_output=True, text=True, check=True).stdout
    endpoints = [each for each in team.emulator.neon_branches() if not each["default"]]
    return "pg_sleep" if endpoints and "SELECT" in listed else ""


def hooks_alive(team: Team) -> bool:
    listed = subprocess.run(("ps", "-eo", "args"), capture_output=True, text=True, check=True).stdout
    return any("neon_hooks pre-push" in line and str(team.report) in line for line in listed.splitlines())


def wait_until(condition: object, seconds: float = 30.0) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.05)
