"""The command line as a person uses it: output and exit codes, no traceback whatever is typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from neon_hooks.database.connect import connect
from neon_hooks.dsn import Dsn
from tests.fix_gate import Team
from tests.fix_git import Clone
from tests.gate.sql_test import shop
from tests.gate.trouble_test import ADD, SLEEP, running, wait_until

COMMAND = (sys.executable, "-m", "neon_hooks")


def neon_hooks(
    *argv: str, cwd: Path, environ: Mapping[str, str] | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        (*COMMAND, *argv),
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_exit_codes_tell_what_is_known(team: Team) -> None:
    shop(team).clone.commit(ADD)
    here, environ = team.clone.path, team.environment()
    assert neon_hooks("validate", cwd=here, environ=environ).returncode == 0
    bad = team.clone.commit({"migrations/0003.sql": "SELECT 1/0;"})
    assert neon_hooks("validate", cwd=here, environ=environ).returncode == 1
    assert neon_hooks("validate", "--to-ref", "no-such-ref", cwd=here, environ=environ).returncode == 2
    assert neon_hooks("validate", cwd=here, environ={**environ, "NEON_API_KEY": ""}).returncode == 3
    assert neon_hooks("validate", "--from-ref", bad, cwd=here, environ=environ).returncode == 0
    assert neon_hooks("validate", "--from-ref", f"{bad}^^", "--to-ref", f"{bad}^", cwd=here, environ=environ).returncode == 0


def test_an_interrupted_validation_exits_with_130(team: Team) -> None:
    shop(team).clone.commit(SLEEP)
    process = subprocess.Popen(
        (*COMMAND, "validate"), cwd=team.clone.path, env=team.environment(), stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: "pg_sleep" in running(team))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.strip() == "neon-hooks: interrupted by SIGINT"
    assert team.left_behind == []


def test_the_index_is_validated_before_it_is_committed(team: Team) -> None:
    shop(team).clone.write({"migrations/0002.sql": "SELECT 1/0;"})
    here, environ = team.clone.path, team.environment()
    assert neon_hooks("validate", "--staged", cwd=here, environ=environ).returncode == 0
    team.clone.git("add", "-A")
    done = neon_hooks("validate", "--staged", cwd=here, environ=environ)
    assert done.returncode == 1
    assert "migrations/0002.sql:1: division by zero" in done.stdout
    assert "git commit --no-verify" in done.stdout


def test_json_goes_to_standard_output_or_to_a_file_beside_the_text(team: Team, tmp_path: Path) -> None:
    shop(team).clone.commit({"migrations/0002.sql": "SELECT 1/0;"})
    here, environ = team.clone.path, team.environment()
    printed = json.loads(neon_hooks("validate", "--format", "json", cwd=here, environ=environ).stdout)
    done = neon_hooks("validate", "--format", "json", "--output", str(tmp_path / "r"), cwd=here, environ=environ)
    assert "division by zero" in done.stdout
    assert json.loads((tmp_path / "r").read_text())["findings"] == printed["findings"]
    page = str(tmp_path / "run.html")
    done = neon_hooks("report", str(tmp_path / "r"), "--html", page, "--format", "json", cwd=tmp_path)
    assert json.loads(done.stdout) == json.loads((tmp_path / "r").read_text())
    assert "Division by zero" in (tmp_path / "run.html").read_text()
    done = neon_hooks("validate", "--output", "/no/such/dir/x", cwd=here, environ=environ)
    assert done.returncode == 2 and "/no/such/dir/x" in done.stderr


def test_detect_says_what_and_why(clone: Clone) -> None:
    clone.commit({"db/migrations/001_a.sql": "create table a ();"})
    assert "sql in db: migrations in db/migrations" in neon_hooks("detect", cwd=clone.path).stdout
    (unit,) = json.loads(neon_hooks("detect", "--format", "json", cwd=clone.path).stdout)
    assert (unit["system"], unit["root"], unit["migrations_dir"]) == ("sql", "db", "db/migrations")
    assert unit["evidence"]
    assert json.loads(neon_hooks("detect", "--at", "HEAD^", "--format", "json", cwd=clone.path).stdout) == []
    assert "no migration system" in neon_hooks("detect", "--at", "HEAD^", cwd=clone.path).stdout


@pytest.mark.parametrize(
    "argv",
    [(), ("valdiate",), ("validate", "--nonsense"), ("validate", "--format", "xml"), ("emulator", "--port", "x")],
)
def test_what_is_typed_wrong_is_a_usage_error(clone: Clone, argv: tuple[str, ...]) -> None:
    done = neon_hooks(*argv, cwd=clone.path)
    assert done.returncode == 2 and "usage: neon-hooks" in done.stderr


@pytest.mark.parametrize("command", ["validate", "detect", "sweep"])
def test_outside_of_a_repository_is_said_in_one_sentence(tmp_path: Path, git_environ: None, command: str) -> None:
    done = neon_hooks(command, cwd=tmp_path, environ={"GIT_CEILING_DIRECTORIES": str(tmp_path)})
    assert done.returncode == 2
    assert done.stderr.startswith("neon-hooks: ") and "git" in done.stderr


def test_sweep_removes_what_we_left_behind_and_nothing_else(team: Team) -> None:
    shop(team)
    here, environ = team.clone.path, team.environment()
    url = f"{team.emulator.api_host}/projects/{team.emulator.project_id}/branches"
    with httpx.Client(headers={"Authorization": f"Bearer {team.emulator.api_key}"}, timeout=30) as client:
        assert client.post(url, json={"branch": {"name": "a-colleagues"}}).status_code == 201
    wait_until(lambda: neon_hooks("sweep", cwd=here, environ=environ).returncode == 0)
    assert team.left_behind == ["a-colleagues"]


def test_the_version_is_printed(clone: Clone) -> None:
    assert neon_hooks("--version", cwd=clone.path).stdout.startswith("neon-hooks 0.")


def test_the_emulator_prints_one_line_and_serves_until_it_is_stopped(tmp_path: Path) -> None:
    process = subprocess.Popen((*COMMAND, "emulator"), stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout
    told = json.loads(process.stdout.readline())
    assert set(told) == {"api_host", "api_key", "project_id", "connection_uri"}
    answer = httpx.get(
        f"{told['api_host']}/projects/{told['project_id']}", headers={"Authorization": f"Bearer {told['api_key']}"}
    )
    assert answer.json()["project"]["id"] == told["project_id"]
    with closing(connect(Dsn.parse(told["connection_uri"]))) as connection:
        assert connection.execute("select current_user::text").fetchone() == ("neondb_owner",)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert process.stdout.read() == ""
    process.stdout.close()


def test_the_demo_shows_two_blocked_pushes_and_a_passing_one(tmp_path: Path) -> None:
    done = neon_hooks("demo", cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "the breaking migration was blocked",
        "the one that keeps others waiting was blocked",
        "which builds an index (limit: 100 ms) [blocking-index-build]",
        "the mended migration was let through",
        "the main Neon database branch is untouched: applying is left to you or CI",
        "test Neon database branches left behind: 0",
        "DETAIL: Key (email)=(customer77@example.com) is duplicated.",
    ):
        assert line in done.stdout
