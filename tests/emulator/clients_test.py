"""Clients that Neon wrote, against the emulator: its TypeScript SDK and its command line."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from neon_hooks.emulator.faults import Fault
from neon_hooks.emulator.model import shown
from tests.fix_emulator import Api, node_modules, query

SDK = "@neon/sdk@6.1.2"
CLI = "neon@6.2.3"
PRELUDE = """
import { createNeonClient, raw } from "@neon/sdk";
const projectId = process.env.NEON_PROJECT_ID;
const neon = createNeonClient({
  apiKey: process.env.NEON_API_KEY, baseUrl: process.env.NEON_API_HOST, throwOnError: true,
  waitForReadiness: true, wait: { pollIntervalMs: 20, timeoutMs: 30000 },
});
const say = (value) => console.log(JSON.stringify(value ?? null));
"""


def _environment(api: Api, home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
    return {
        **kept,
        "HOME": str(home),
        "NEON_API_HOST": api.emulator.api_host,
        "NEON_API_KEY": api.emulator.api_key,
        "NEON_PROJECT_ID": api.emulator.project_id,
    }


@pytest.fixture
def sdk(api: Api, tmp_path: Path) -> Callable[[str], list[Any]]:
    """Run a script with ``neon`` and ``projectId``; what it said."""
    (tmp_path / "node_modules").symlink_to(node_modules(SDK))

    def run(script: str) -> list[Any]:
        (tmp_path / "script.mjs").write_text(PRELUDE + script)
        done = subprocess.run(
            ["node", "script.mjs"], cwd=tmp_path, env=_environment(api, tmp_path),
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def test_neons_sdk_leads_a_whole_life(api: Api, sdk: Callable[[str], list[Any]]) -> None:
    query(api.emulator.main, "CREATE TABLE IF NOT EXISTS sdk (a int)")
    main, connection, same, listed, roles, reset, gone = sdk("""
        say(await neon.branches.getDefault({ projectId }));
        const made = await neon.branches.createAndConnect({ projectId, name: "sdk", pooled: false });
        say(made);
        const branchId = made.branch.id;
        say(await neon.branches.compareSchema({ projectId, branchId, databaseName: "neondb" }));
        say(await neon.branches.list({ projectId, limit: 1 }).all());
        say(await raw.listProjectBranchRoles({
          baseUrl: process.env.NEON_API_HOST, auth: () => process.env.NEON_API_KEY,
          path: { project_id: projectId, branch_id: branchId },
        }).then((answer) => answer.data));
        await neon.branches.update({ projectId, branchId, name: "renamed" });
        say(await neon.branches.resetFromParent({ projectId, branchId }));
        await neon.branches.delete({ projectId, branchId });
        const found = await neon.branches.get({ projectId, branchId }, { throwOnError: false });
        say(found.error.kind);
        """)
    assert main["name"] == "main"
    assert connection["branch"]["name"] == "sdk" and connection["endpoint"]["current_state"] in (
        "init",
        "active",
    )
    assert (same.get("diff") or "") == ""
    assert sorted(item["name"] for item in listed) == ["main", "sdk"]
    assert [role["name"] for role in roles["roles"]] == ["neondb_owner"]
    assert reset["name"] == "renamed"
    assert gone == "not_found"
    assert [item["name"] for item in api.emulator.neon_branches()] == ["main"]
    query(api.emulator.main, "DROP TABLE sdk")


def test_neons_sdk_sees_the_child_it_made(api: Api, sdk: Callable[[str], list[Any]]) -> None:
    (uri,) = sdk("""
        const made = await neon.branches.createAndConnect({ projectId, name: "seen", pooled: false });
        say(made.connectionString);
        """)
    assert query(uri, "SELECT current_user, current_database()") == [("neondb_owner", "neondb")]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=423, times=2), "fine"),
        (Fault(status=503, times=2), "fine"),
        (Fault(status=429, times=1, retry_after=1), "fine"),
        (Fault(status=429, times=1, retry_after=1, retry_after_date=True), "fine"),
        (Fault(status=429, times=3), "rate_limit"),
        (Fault(status=500, times=1), "api"),
        (Fault("html", status=524, times=1), "api"),
        (Fault("drop-before"), "network"),
        (Fault("operation-error"), "operation"),
        (Fault("future", times=0), "fine"),
    ],
    ids=lambda value: f"{value.effect}-{value.status}-{value.times}" if isinstance(value, Fault) else value,
)
def test_neons_sdk_takes_faults_for_what_they_stand_for(
    api: Api, sdk: Callable[[str], list[Any]], fault: Fault, kind: str
) -> None:
    api.emulator.faults.add(fault)
    said = sdk("""
        const answer = await neon.branches.create({ projectId, name: "trouble" }, { throwOnError: false });
        say(answer.error ? answer.error.kind : "fine");
        """)
    assert said == [kind]


def test_neons_command_line_leads_a_whole_life(api: Api, tmp_path: Path) -> None:
    program = node_modules(CLI) / ".bin" / "neon"

    def neon(*arguments: str) -> str:
        done = subprocess.run(
            [program, *arguments, "--project-id", api.emulator.project_id, "--no-analytics", "--no-color"],
            env={**_environment(api, tmp_path), "CI": "1"}, cwd=tmp_path,
            capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = json.loads(neon("branches", "create", "--name", "cli", "-o", "json"))
    assert made["branch"]["name"] == "cli"
    api.settle()
    uri = neon("connection-string", "cli", "--role-name", "neondb_owner", "--database-name", "neondb").strip()
    port = api.get(f"~/branches/{made['branch']['id']}/endpoints")["endpoints"][0]["port"]
    query(made["connection_uris"][0]["connection_uri"], "CREATE TABLE cli (a int)")
    assert "127.0.0.1" in uri and str(port) in made["connection_uris"][0]["connection_uri"]
    assert "CREATE TABLE public.cli" in neon("branches", "schema-diff", "main", "cli")
    tomorrow = shown(datetime.now(UTC) + timedelta(days=1))
    neon("branches", "set-expiration", "cli", "--expires-at", tomorrow)
    listed = json.loads(neon("branches", "list", "-o", "json"))
    assert {item["name"]: item.get("expires_at") for item in listed} == {"main": None, "cli": tomorrow}
    neon("branches", "delete", "cli")
    api.settle()
    assert [item["name"] for item in api.emulator.neon_branches()] == ["main"]
