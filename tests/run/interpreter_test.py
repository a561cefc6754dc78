"""Which Python is the project's: real interpreters, and package managers that answer as the real ones do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neon_hooks.errors import Unavailable
from neon_hooks.plan import Command
from neon_hooks.run import Prepared, resolve
from neon_hooks.run.interpreter import Interpreter

COMMAND = Command(("python", "-m", "shop"), "python", module="shop")


class Machine:
    """A work tree, and a directory that is all of PATH."""

    def __init__(self, home: Path) -> None:
        self.top = home / "work"
        self.path = home / "bin"
        self.root = self.top / "services/api"
        self.root.mkdir(parents=True)
        self.path.mkdir()
        for tool in ("sh", "env"):
            (self.path / tool).symlink_to(f"/bin/{tool}" if tool == "sh" else "/usr/bin/env")

    def python(self, file: Path, *, with_shop: bool = True) -> Path:
        """A Python at ``file`` that can import ``shop``, or not."""
        library = file.parent / "library"
        (library / "shop").mkdir(parents=True, exist_ok=True)
        (library / "shop/__init__.py").write_text("")
        added = f'PYTHONPATH="$PYTHONPATH:{library}" ' if with_shop else ""
        return self.script(file, f'{added}exec "{sys.executable}" "$@"')

    def script(self, file: Path, text: str) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return file

    def resolve(self, setting: str = "", **environ: str) -> Prepared:
        return resolve(
            COMMAND, checkout=self.top, top=self.top, root="services/api", python=setting,
            environ={"PATH": str(self.path), **environ},
        )  # fmt: skip

    def found(self, setting: str = "", **environ: str) -> Path:
        return Path(self.resolve(setting, **environ).program)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_nearest_virtual_environment_wins(machine: Machine) -> None:
    machine.python(machine.path / "python3")
    machine.python(machine.top / ".venv/bin/python")
    assert machine.found() == machine.top / ".venv/bin/python"
    inner = machine.python(machine.root / "venv/bin/python")
    assert machine.found() == inner


def test_a_real_virtual_environment_keeps_its_own_path(machine: Machine) -> None:
    home = machine.top / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    library = next(home.glob("lib/python*/site-packages"))
    (library / "shop.py").write_text("")
    assert machine.found() == home / "bin/python"


def test_an_environment_that_lacks_the_tool_is_passed_over(machine: Machine) -> None:
    machine.python(machine.root / ".venv/bin/python", with_shop=False)
    outer = machine.python(machine.top / ".venv/bin/python")
    assert machine.found() == outer


@pytest.mark.parametrize(
    ("lock", "tool", "question"),
    [
        ("uv.lock", "uv", "python find --no-python-downloads --offline"),
        ("poetry.lock", "poetry", "env info --executable"),
        ("Pipfile.lock", "pipenv", "--py"),
        ("pdm.lock", "pdm", "info --python"),
    ],
)
def test_a_package_manager_is_asked_where_its_lock_file_lies(
    lock: str, tool: str, question: str, machine: Machine
) -> None:
    elsewhere = machine.python(machine.top.parent / "elsewhere/python")
    machine.script(machine.path / tool, f'[ "$*" = "{question}" ] && [ -f {lock} ] && echo "{elsewhere}"')
    machine.python(machine.path / "python3")
    assert machine.found() == machine.path / "python3"
    (machine.top / lock).write_text("")
    assert machine.found() == elsewhere


def test_an_activated_environment_is_found_through_path(machine: Machine) -> None:
    active = machine.python(machine.top.parent / "envs/shop/bin/python3")
    assert machine.found(PATH=f"{active.parent}{os.pathsep}{machine.path}") == active


def test_the_setting_wins_over_everything(machine: Machine) -> None:
    machine.python(machine.root / ".venv/bin/python")
    wanted = machine.python(machine.top / "tools/python/bin/python")
    assert machine.found("tools/python/bin/python") == wanted
    assert machine.found("tools/python") == wanted
    assert machine.found(str(wanted)) == wanted
    named = machine.python(machine.path / "python-of-shop")
    assert machine.found("python-of-shop") == named


@pytest.mark.parametrize("setting", ["tools/gone/python", "no-such-python"])
def test_a_setting_that_leads_nowhere_is_not_replaced_by_a_guess(setting: str, machine: Machine) -> None:
    machine.python(machine.root / ".venv/bin/python")
    with pytest.raises(Unavailable) as caught:
        machine.resolve(setting)
    assert setting in caught.value.message


def test_an_error_lists_what_was_tried_and_names_the_setting(machine: Machine) -> None:
    machine.python(machine.root / ".venv/bin/python", with_shop=False)
    machine.script(machine.top / "venv/bin/python", "exit 1")
    (machine.top / "uv.lock").write_text("")
    with pytest.raises(Unavailable) as caught:
        machine.resolve()
    message = caught.value.message
    assert "services/api/.venv: cannot import shop" in message
    assert "venv: does not run" in message
    assert "uv python find" in message and "not there" in message
    assert "[[systems]] python" in caught.value.fix
    assert caught.value.exit_code == 3


def test_a_family_that_nobody_knows_is_an_error(machine: Machine) -> None:
    with pytest.raises(Unavailable, match="cobol"):
        resolve(Command(("x",), "cobol"), checkout=machine.top, top=machine.top, root="", environ={})


def test_asking_an_interpreter_shows_it_no_secret(machine: Machine) -> None:
    log = machine.top / "seen"
    machine.script(machine.path / "python3", f'env > "{log}"; exit 1')
    with pytest.raises(Unavailable):
        machine.resolve(NEON_API_KEY="canary", DATABASE_URL="postgres://u:canary@h/d", GITHUB_TOKEN="canary")
    assert "PATH=" in log.read_text()
    assert "canary" not in log.read_text()


def test_an_interpreter_that_does_not_load_the_shim_is_refused(machine: Machine) -> None:
    # What is written in the project's code could then lead to production.
    machine.script(machine.top / ".venv/bin/python", f'exec "{sys.executable}" -E "$@"')
    with pytest.raises(Unavailable, match="ignores PYTHONPATH"):
        resolve(
            Command(("python",), "python", module="json"), checkout=machine.top, top=machine.top, root="",
            environ={"PATH": str(machine.path)}, python=".venv",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("drivers", "sqlalchemy", "scheme"),
    [
        (("psycopg",), (0, 0), "postgresql"),
        ((), (2, 0), "postgresql"),
        (("psycopg", "psycopg2"), (2, 0), "postgresql"),
        (("psycopg",), (2, 0), "postgresql+psycopg"),
        (("psycopg2",), (1, 4), "postgresql"),
        (("psycopg2",), (2, 1), "postgresql+psycopg2"),
        (("psycopg",), (2, 1), "postgresql"),
        (("asyncpg",), (2, 0), "postgresql+asyncpg"),
    ],
)
def test_a_url_names_a_driver_only_where_the_default_one_is_missing(
    drivers: tuple[str, ...], sqlalchemy: tuple[int, int], scheme: str
) -> None:
    assert Interpreter("python", True, True, drivers, sqlalchemy).url_scheme == scheme
