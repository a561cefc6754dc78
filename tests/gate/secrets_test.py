"""Canaries: secrets planted wherever a real project has them, and looked for in everything that is left."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from neon_hooks.emulator.faults import Fault
from tests.fix_gate import Pushed, Team
from tests.gate.stories import ALEMBIC, DJANGO, alembic

PASSWORD = "canary/p@ss:w%rd#1"
CANARIES = {
    "AWS_SECRET_ACCESS_KEY": "canary-aws-0123456789",
    "STRIPE_API_KEY": "canary-stripe-0123456789",
    "SECRET_KEY": "canary-django-0123456789",
    "GITHUB_TOKEN": "canary-github-0123456789",
    "DB_PASSWORD": PASSWORD,
}
PRODUCTION = f"postgresql+psycopg://app:{quote(PASSWORD, safe='')}@production.example.com/shop"
DOTENV = f"DATABASE_URL={PRODUCTION}\nSENTRY_AUTH_TOKEN=canary-sentry-0123456789\n"
# A migration that tells everything it knows, as a careless print or a traceback with locals does.
TALKS = alembic("import os, sys; print(dict(os.environ), op.get_bind().engine.url.render_as_string(False)); {end}")
ENDINGS = {
    "passes": 'op.execute("select 1")',
    "fails in Postgres": 'op.execute("select password from nowhere")',
    "fails in Python": 'raise RuntimeError(repr(dict(os.environ)))',
}


def assert_no_canary(team: Team, pushed: Pushed, told: str) -> None:
    """Neither in what was said, nor in any file, apart from those in which the test planted them."""
    secrets = {*CANARIES.values(), "canary-sentry-0123456789", quote(PASSWORD, safe=""), team.emulator.api_key, told}
    texts = {"the terminal": pushed.said, "the report": team.report.read_text() if team.report.exists() else ""}
    for file in left_files(team):
        texts[str(file)] = file.read_bytes().decode("utf-8", "replace")
    for place, text in texts.items():
        for secret in secrets:
            assert secret not in text, f"{secret} is in {place}"


def left_files(team: Team) -> Iterator[Path]:
    planted = {team.clone.path / ".env"}
    for top in (team.home, *Path(tempfile.gettempdir()).glob("neon-hooks-*/journal")):
        files = [top] if top.is_file() else top.rglob("*")
        for file in files:
            venv = team.clone.path / ".venv"
            if file.is_file() and file not in planted and venv not in file.parents:
                yield file


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_migration_that_tells_everything_tells_no_secret(team: Team, ending: str) -> None:
    ALEMBIC.start(team)
    (team.clone.path / ".env").write_text(DOTENV)
    team.environ |= {**CANARIES, "DATABASE_URL": PRODUCTION, "NEON_HOOKS_VERBOSE": "true"}
    pushed = team.push({"migrations/versions/c3.py": TALKS.format(end=ending)})
    assert pushed.document["verdict"] == ("pass" if "select 1" in ending else "block"), pushed.said
    assert_no_canary(team, pushed, team.emulator.main.password)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path="/connection_uri", effect="html", status=500, times=0),
        Fault(method="POST", status=403),
        Fault(method="DELETE", status=500, times=0),
    ],
    ids=["no connection string", "forbidden", "not deleted"],
)
def test_errors_of_neon_tell_no_secret(team: Team, fault: Fault) -> None:
    ALEMBIC.start(team)
    team.environ |= {**CANARIES, "NEON_HOOKS_DEADLINE": "8s", "NEON_HOOKS_VERBOSE": "true"}
    team.emulator.faults.add(fault)
    pushed = team.push(dict([ALEMBIC.good]))
    assert_no_canary(team, pushed, team.emulator.main.password)


def test_the_tool_gets_no_credential_but_the_test_branchs(team: Team) -> None:
    """The child's environment as the child sees it."""
    DJANGO.start(team)
    team.environ |= CANARIES
    seen = team.home / "seen"
    path, text = DJANGO.good
    spy = f"import os\nopen({str(seen)!r}, 'w').write(repr(dict(os.environ)))\n"
    assert team.push({path: spy + text}).passed
    environment = seen.read_text()
    seen.unlink()
    for name, secret in CANARIES.items():
        assert secret not in environment, name
    for name in ("NEON_API_KEY", "NEON_PROJECT_ID", "GIT_DIR", "VIRTUAL_ENV"):
        assert f"'{name}'" not in environment


def test_a_secret_that_is_needed_can_be_let_through(team: Team) -> None:
    DJANGO.start(team)
    team.environ |= CANARIES
    path, text = DJANGO.good
    needs = "import os\nassert os.environ['STRIPE_API_KEY'].startswith('canary-stripe')\n" + text
    pushed = team.push({path: needs})
    assert pushed.exit_code == 1 and "STRIPE_API_KEY" in pushed.said and "env_passthrough" in pushed.said
    assert team.push(environ={"NEON_HOOKS_ENV_PASSTHROUGH": "STRIPE_API_KEY"}).passed
