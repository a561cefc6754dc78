"""migra runs apart: what its process says is not believed, and where it is installed is known."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import NotInstalled, Unavailable
from neon_hooks.generate import engine
from tests.fix_git import Clone

TOP = Path(__file__).parent.parent.parent
NOWHERE = Dsn("127.0.0.1", "d", "u", "very-secret", 1)


def worker(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(engine, "WORKER", (sys.executable, "-c", f"import sys; order = sys.stdin.read(); {code}"))


@pytest.mark.parametrize(
    "code",
    [
        "",
        "print('no changes')",
        "print('{}')",
        "print('[]')",
        "print('{\"statements\": [1]}')",
        "raise SystemExit(1)",
        "sys.stderr.write(order); raise SystemExit(3)",
        "import os; os.abort()",
    ],
)
def test_a_crash_or_nonsense_is_an_error_and_never_no_changes(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    worker(monkeypatch, code)
    with pytest.raises(Unavailable) as raised:
        engine.proposed(NOWHERE, NOWHERE, Deadline.after(30))
    assert "migra" in raised.value.message
    assert "very-secret" not in raised.value.message


def test_without_migra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    worker(monkeypatch, f"sys.exit({engine.NOT_INSTALLED})")
    with pytest.raises(NotInstalled) as raised:
        engine.proposed(NOWHERE, NOWHERE, Deadline.after(30))
    assert "neon-hooks[migra]" in raised.value.fix


def test_the_connection_strings_are_not_on_the_command_line() -> None:
    assert "very-secret" not in " ".join(engine.WORKER)
    assert engine.WORKER[1:] == ("-m", "neon_hooks.generate.worker")


def test_two_equal_databases_need_no_statement(database: Dsn) -> None:
    pytest.importorskip("migra")
    assert engine.proposed(database, replace(database), Deadline.after(60)) == []


@pytest.mark.parametrize("argv", [["generate", "--pushed"], ["generate"], ["generate", "--check"]], ids=" ".join)
def test_where_there_is_a_migration_system_it_is_named_and_no_engine_is_loaded(clone: Clone, argv: list[str]) -> None:
    clone.commit({"README": "words"})
    clone.git("update-ref", "refs/remotes/origin/main", "HEAD")
    alembic = {"alembic.ini": "[alembic]\nscript_location = m", "m/env.py": "import alembic", "m/versions/a.py": "revision = 'a'"}
    clone.commit({**alembic, "schema.sql": "CREATE TABLE customers (id int);"})
    script = f"""
import sys
from neon_hooks.cli import main
code = main({argv!r})
print(code, sorted(name for name in sys.modules if name.partition(".")[0] in {("migra", "schemainspect", "sqlbag", "psycopg")}
    or name.startswith(("neon_hooks.generate.", "neon_hooks.generating"))))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=clone.path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
    assert "this project has a migration system, which writes its migrations: alembic" in done.stdout + done.stderr


def test_migra_is_installed_for_one_hook_and_by_one_extra() -> None:
    setup = configparser.ConfigParser()
    setup.read(TOP / "setup.cfg")
    pins = setup["options.extras_require"]["migra"].split()
    assert [pin.partition("==")[0] for pin in pins] == ["migra", "schemainspect", "sqlbag"]
    everything = setup["options"]["install_requires"] + "".join(
        text for name, text in setup["options.extras_require"].items() if name != "migra"
    )
    assert not re.search(r"migra|schemainspect|sqlbag|sqlalchemy", everything, re.IGNORECASE)
    for hook in (TOP / ".pre-commit-hooks.yaml").read_text().split("- id: ")[1:]:
        if hook.startswith("neon-generate-migration\n"):
            assert f"additional_dependencies: [{', '.join(pins)}]" in hook
        else:
            assert "additional_dependencies" not in hook
