"""Names, annotations, and which of ours is a left-over."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from neon_hooks.neon import ownership
from neon_hooks.neon.creation import order, rfc3339
from neon_hooks.neon.models import Branch
from neon_hooks.neon.ownership import LONGEST_RUN, judged, new_identity

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=timezone.utc)
SHA = "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"
OLD = rfc3339(NOW - timedelta(seconds=LONGEST_RUN + 60))
YOUNG = rfc3339(NOW - timedelta(seconds=30))


@pytest.mark.parametrize(
    "git_ref, middle",
    [
        ("feature/ABC_1", "feature-abc-1"),
        ("refs/heads/main", "main"),
        ("refs/tags/v1.0", "v1-0"),
        ("über/größe", "ber-gr-e"),
        ("日本", "unnamed"),
        ("", "unnamed"),
        ("--x--", "x"),
        ("a" * 500, "a" * 100),
        ("x\n; rm -rf /", "x-rm-rf"),
    ],
)
def test_a_name_has_only_what_neons_cli_takes(git_ref, middle):
    name = new_identity(SHA, git_ref, NOW).name
    assert re.fullmatch(rf"neon-hooks/{middle}/1a2b3c4d-[0-9a-f]{{8}}", name)
    assert len(name) <= 256


def test_two_runs_never_have_the_same_name():
    assert len({new_identity(SHA, "main", NOW).name for _ in range(500)}) == 500


def test_an_annotation_tells_whose_it_is():
    note = new_identity(SHA, "refs/heads/feature/x", NOW).annotation
    assert note[ownership.TOOL] == "neon-hooks"
    assert note[ownership.GIT_SHA] == SHA and note[ownership.GIT_BRANCH] == "feature/x"
    assert note[ownership.PID] == str(os.getpid()) and note[ownership.HOST]
    assert note[ownership.CREATED_AT] == "2026-11-21T12:00:00Z"
    assert len(note) <= 50 and all(isinstance(value, str) for value in note.values())


@pytest.mark.parametrize("data", ["full", "schema-only", "anonymized"])
def test_an_order_always_has_an_expiry_a_compute_and_an_annotation(data):
    identity = new_identity(SHA, "main", NOW)
    body = order(Branch("br-main", "main"), identity, expires_at=rfc3339(NOW), data=data)
    made = body["branch_create"] if data == "anonymized" else body
    assert made["branch"]["expires_at"] == "2026-11-21T12:00:00Z"
    assert made["branch"]["parent_id"] == "br-main" and made["branch"]["name"] == identity.name
    assert made["endpoints"] == [{"type": "read_write"}]
    assert made["branch"].get("init_source") == ("schema-only" if data == "schema-only" else None)
    assert body.get("start_anonymization") == (True if data == "anonymized" else None)
    assert body["annotation_value"] == identity.annotation


def gone_pid() -> str:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return str(process.pid)


def left_over(created_at: str, **changes) -> Branch:
    note = dict(new_identity(SHA, "main", NOW).annotation)
    note.update(changes.pop("note", {}))
    expires_at = "2026-11-21T16:00:00Z"
    branch = Branch("br-1", "n", "br-main", created_at=created_at, expires_at=expires_at, annotation=note)
    return replace(branch, **changes)


def verdict(branch: Branch, *more: Branch) -> str | None:
    """None: not ours. "": a left-over."""
    found = judged([branch, *more], NOW)
    return found[0][1] if found else None


def test_an_old_one_is_a_left_over_wherever_it_was_made():
    assert verdict(left_over(OLD)) == ""
    assert verdict(left_over(OLD, note={ownership.PLACE: "elsewhere", ownership.HOST: "laptop-of-b"})) == ""


def test_a_young_one_of_another_machine_is_kept_and_the_machine_named():
    note = {ownership.PLACE: "elsewhere", ownership.HOST: "laptop-of-b", ownership.PID: gone_pid()}
    assert "laptop-of-b" in verdict(left_over(YOUNG, note=note))


def test_a_young_one_of_a_running_process_is_kept():
    assert "going on" in verdict(left_over(YOUNG))


@pytest.mark.skipif(not ownership.place(), reason="needs /proc")
def test_a_young_one_of_a_process_here_that_is_gone_is_a_left_over():
    assert verdict(left_over(YOUNG, note={ownership.PID: gone_pid()})) == ""


@pytest.mark.skipif(not ownership.place(), reason="needs /proc")
def test_a_zombie_is_not_alive():
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    try:
        assert not ownership.is_alive(process.pid)
    finally:
        process.wait()


@pytest.mark.parametrize("pid", ["", "x", "-1", "²", "9" * 30])
def test_a_pid_that_is_none_proves_nothing(pid):
    assert "going on" in verdict(left_over(YOUNG, note={ownership.PID: pid}))


@pytest.mark.parametrize(
    "changes",
    [
        {"default": True},
        {"protected": True},
        {"expires_at": ""},
        {"created_at": ""},
        {"created_at": "yesterday"},
        {"created_at": "2020-01-01T00:00:00"},
    ],
)
def test_one_of_ours_is_kept_when_somebody_may_need_it(changes):
    assert verdict(replace(left_over(OLD), **changes))


def test_one_with_children_is_kept():
    assert "children" in verdict(left_over(OLD), Branch("br-2", "child", "br-1"))


@pytest.mark.parametrize(
    "note",
    [
        {},
        {"tool": "neon-hooks"},
        {"tool": "other", ownership.RUN: "1"},
        {ownership.RUN: "1"},
        {"tool": "neon-hooks", ownership.RUN: ""},
    ],
)
def test_what_does_not_carry_our_whole_annotation_is_foreign_whatever_its_name(note):
    branch = replace(left_over(OLD), annotation=note, name="neon-hooks/main/1a2b3c4d-00000000")
    assert verdict(branch) is None
