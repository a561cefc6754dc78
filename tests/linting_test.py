"""`neon-hooks lint`: named files, formats, settings, exit codes; no network, no database, no project code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from neon_hooks import cli
from tests.fix_git import Clone

BAD = "CREATE INDEX i ON one (id);\n"
HEAVY = {"httpx", "psycopg", "git", "migra", "sqlalchemy", "asyncio"}


@pytest.fixture
def here(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> Clone:
    monkeypatch.chdir(clone.path)
    return clone


def lint(*argv: str) -> int:
    return cli.main(["lint", *argv])


def test_named_files_are_read_from_the_disk_with_their_system(here: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    here.commit({"db/migrations/1_a.sql": "-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n"})
    text = f"-- migrate:up\n\n{BAD}\n-- migrate:down\nDROP TABLE one;\n"
    here.write({"db/migrations/2_b.sql": text, "other.sql": BAD, "notes.txt": "x"})
    assert lint("db/migrations/2_b.sql", "other.sql", "notes.txt") == 1
    said = capsys.readouterr().out
    assert "db/migrations/2_b.sql:3: an index is built" in said
    assert "other.sql:1: an index is built" in said
    assert "dropped" not in said
    assert "2 errors in 2 new migrations" in said


def test_in_a_directory_below_names_are_as_one_sees_them(here: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    here.write({"db/2.sql": BAD})
    monkeypatch.chdir(here.path / "db")
    assert lint("2.sql") == 1


@pytest.mark.parametrize("name", ["nowhere.sql", "/etc/hostname-of-another-place"])
def test_a_file_that_cannot_be_read_is_named(here: Clone, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(name) == 2
    assert name in capsys.readouterr().err


def test_json_has_the_findings_with_their_evidence(here: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    here.write({"migrations/1.sql": f"-- é\n{BAD}"})
    here.git("add", ".")
    assert lint("--format", "json") == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"], document["neon_branch"]) == ("block", None)
    finding = document["findings"][0]
    assert (finding["rule"], finding["severity"]) == ("blocking-index-build", "error")
    assert (finding["path"], finding["line"], finding["system"]) == ("migrations/1.sql", 2, "sql")
    assert finding["evidence"]["linter"] == "require-concurrent-index-creation"


def test_the_output_goes_to_a_file(here: Clone, tmp_path: Path) -> None:
    here.write({"migrations/1.sql": BAD})
    here.git("add", ".")
    assert lint("--format", "json", "--output", str(tmp_path / "out.json")) == 1
    assert json.loads((tmp_path / "out.json").read_text())["verdict"] == "block"


def test_staged_settings_count_and_an_unknown_rule_is_an_error(here: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    here.write({"migrations/1.sql": BAD, ".neon-hooks.toml": '[rules]\nblocking-index-build = "off"\n'})
    here.git("add", ".")
    assert lint() == 0
    here.write({".neon-hooks.toml": '[rules]\nblocking-index = "off"\n'})
    here.git("add", ".")
    assert lint() == 2
    assert "'blocking-index'" in capsys.readouterr().err


def test_checks_of_files_need_no_database(here: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    head = "revision = {!r}\ndown_revision = {!r}\ndef upgrade(): pass\n"
    here.commit({"alembic.ini": "[alembic]\nscript_location = m", "m/env.py": "raise SystemExit", "m/versions/a.py": head.format("a", None)})
    here.git("update-ref", "refs/remotes/origin/main", "HEAD")
    here.commit({"m/versions/b.py": head.format("b", "a")})
    here.write({"m/versions/c.py": head.format("c", "a")})
    here.git("add", ".")
    assert lint() == 1
    said = capsys.readouterr().out
    assert "m/versions/c.py: 2 heads after this push: " in said and "several-heads" in said


def test_a_bad_comment_in_code_is_found(here: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    here.write({
        "alembic.ini": "[alembic]\nscript_location = m", "m/env.py": "raise SystemExit",
        "m/versions/a.py": "revision = 'a'\ndef upgrade():\n    # neon-hooks: accept table-rewrite\n    pass\n",
    })  # fmt: skip
    here.git("add", ".")
    assert lint() == 1
    assert "m/versions/a.py:3: no reason is given [bad-acceptance]" in capsys.readouterr().out


def test_a_broken_squawk_toml_is_named(here: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    here.write({"migrations/1.sql": BAD, ".squawk.toml": "excluded_rules = 3\n"})
    here.git("add", ".")
    assert lint() == 2
    assert ".squawk.toml: `excluded_rules`" in capsys.readouterr().err


def test_without_new_migrations_it_is_silent_and_verbose_says_so(here: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    here.write({"README": "more"})
    here.git("add", ".")
    assert lint() == 0
    assert capsys.readouterr().out == ""
    assert lint("--verbose") == 0
    assert "no migrations in the index" in capsys.readouterr().out


def loaded(clone: Clone, code: int) -> set[str]:
    script = f"""
import sys
from neon_hooks.hooks.lint_migrations import main
code = main([])
assert code == {code}, code
print("\\n" + " ".join(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=clone.path, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_a_commit_without_migrations_loads_nothing_heavy(here: Clone) -> None:
    here.commit({"migrations/1.sql": "CREATE TABLE one (id int);"})
    here.write({"README": "more", "app.py": "print()"})
    here.git("add", ".")
    modules = loaded(here, 0)
    assert not modules & (HEAVY | {"neon_hooks.checks", "neon_hooks.systems", "neon_hooks.lint", "tomllib", "json"})


def test_a_commit_with_migrations_loads_no_client_of_anything(here: Clone) -> None:
    here.write({"migrations/1.sql": BAD})
    here.git("add", ".")
    assert not loaded(here, 1) & HEAVY
