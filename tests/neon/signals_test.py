"""A real process, real signals, in every state: no test Neon database branch is left at the emulator."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.emulator.faults import Fault
from neon_hooks.neon.sweep import sweep
from tests.fix_neon import emulator_settings, settle

TOP = Path(__file__).parent.parent.parent
ALL = pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name)
CREATING, WAITING = "creating a test Neon database branch", "waiting for its compute"
DELETING = "deleting the test Neon database branch"


class Run:
    def __init__(self, neon, seconds=30.0, **popen):
        command = [sys.executable, "-m", "tests.neon.a_run", neon.api_host, neon.api_key, neon.project_id]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": TOP, **popen}
        self.process = subprocess.Popen([*command, str(seconds)], **options)

    def until(self, words: str) -> None:
        for line in self.process.stdout:
            if line.strip() == words:
                return
        raise AssertionError(f"the run ended before {words!r}: {self.process.stderr.read()}")

    def send(self, signum: int) -> None:
        self.process.send_signal(signum)

    def end(self) -> dict:
        """What became of it; its exit code must be that of an interruption, and nothing be on stderr."""
        output, errors = self.process.communicate(timeout=60)
        assert errors == "" and self.process.returncode == 130, (self.process.returncode, output, errors)
        return json.loads(output.splitlines()[-1])


@pytest.fixture
def run(neon):
    runs = []

    def run(*arguments, **options):
        runs.append(Run(neon, *arguments, **options))
        return runs[-1]

    yield run
    for each in runs:
        each.process.kill()
        each.process.communicate()


def alone(neon) -> bool:
    return len(neon.neon_branches()) == 1


@ALL
def test_a_signal_before_the_request_makes_nothing(neon, run, signum):
    neon.faults.add(Fault(effect="slow", method="GET", path="/branches", seconds=1.5))
    process = run()
    time.sleep(1.0)
    process.send(signum)
    # The interpreter may still be starting: then the signal ends it before anything was asked for.
    process.process.communicate(timeout=60)
    settle(neon)
    assert alone(neon) and not [request for request in neon.requests if request.method == "POST"]


@ALL
def test_a_signal_while_the_answer_is_awaited_finds_what_was_made_by_its_name(neon, run, signum):
    neon.faults.add(Fault(effect="slow", method="POST", path="/branches", seconds=1.5))
    process = run()
    process.until(CREATING)
    time.sleep(0.5)
    process.send(signum)
    assert process.end()["deleted"] and alone(neon)


@ALL
def test_a_signal_while_a_lost_creation_is_looked_for_does_not_lose_it(neon, run, signum):
    neon.faults.add(Fault(effect="drop-after", method="POST", path="/branches"))
    neon.faults.add(Fault(effect="slow", method="GET", path="/branches", seconds=0.0))
    neon.faults.add(Fault(effect="slow", method="GET", path="/branches", seconds=1.5))
    process = run()
    process.until(CREATING)
    time.sleep(1.0)
    process.send(signum)
    assert process.end()["deleted"] and alone(neon)


@ALL
def test_a_signal_while_its_compute_starts_deletes_it(neon, run, signum):
    neon.faults.add(Fault(effect="operation-failed", method="POST", seconds=1.5))
    process = run()
    process.until(WAITING)
    process.send(signum)
    assert process.end()["deleted"] and alone(neon)


@ALL
def test_a_signal_while_it_is_used_deletes_it(neon, run, signum):
    process = run()
    process.until("ready")
    process.send(signum)
    assert process.end()["deleted"] and alone(neon)


@ALL
def test_further_signals_do_not_stop_the_deletion(neon, run, signum):
    neon.faults.add(Fault(effect="slow", method="DELETE", seconds=1.0))
    process = run()
    process.until("ready")
    process.send(signal.SIGINT)
    process.until(DELETING)
    for _ in range(5):
        process.send(signum)
        time.sleep(0.1)
    assert process.end()["deleted"] and alone(neon)


def test_two_signals_at_once_do_not_lose_it(neon, run):
    process = run()
    process.until("ready")
    process.send(signal.SIGTERM)
    process.send(signal.SIGINT)
    assert process.end()["deleted"] and alone(neon)


def test_a_closed_terminal_does_not_lose_it(neon, run):
    """SIGHUP, and from then on every write to the terminal fails."""
    ours, theirs = os.openpty()
    process = run(stdout=theirs, stderr=subprocess.DEVNULL, stdin=theirs, start_new_session=True)
    os.close(theirs)
    seen = b""
    while b"ready" not in seen:
        seen += os.read(ours, 1000)
    os.close(ours)
    process.send(signal.SIGHUP)
    process.process.wait(timeout=60)
    settle(neon)
    assert alone(neon)


def test_the_deadline_ends_the_run_and_deletes_it(neon, run):
    process = run(3.0)
    output, errors = process.process.communicate(timeout=60)
    assert process.process.returncode == 3 and errors == ""
    assert json.loads(output.splitlines()[-1])["deleted"] and alone(neon)


def test_the_alarm_that_rings_during_the_deletion_changes_nothing(neon, run):
    neon.faults.add(Fault(effect="slow", method="DELETE", seconds=3.0))
    process = run(3.0)
    process.until("ready")
    process.send(signal.SIGINT)
    assert process.end()["deleted"] and alone(neon)


def test_what_a_killed_run_leaves_is_swept_at_once_and_what_a_living_one_uses_is_not(neon, run):
    killed, living = run(), run()
    for process in (killed, living):
        process.until("ready")
    killed.send(signal.SIGKILL)
    killed.process.wait()
    swept = sweep(emulator_settings(neon), dry_run=False, deadline=Deadline.after(30))
    assert len(swept.deleted) == 1 and len(swept.kept) == 1
    assert "going on" in swept.kept[0].reason
    living.send(signal.SIGINT)
    assert living.end()["id"] == swept.kept[0].neon_branch.id
    assert alone(neon)
