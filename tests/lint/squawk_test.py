"""squawk itself: found beside this interpreter, its lines and columns turned into places."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from neon_hooks.checks.lints import LINTS, OFF
from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.lint import squawk
from neon_hooks.lint.squawk import Options, Said, lint

INDEX = "require-concurrent-index-creation"
QUIET = Options(excluded=tuple(OFF))
TOP = Path(__file__).parent.parent.parent


def said(text: str, *, in_transaction: bool = False) -> list[Said]:
    (found,) = lint([text], in_transaction=in_transaction, options=QUIET)
    return list(found)


def test_the_program_is_the_one_of_this_environment_and_the_pinned_version() -> None:
    pinned = re.search(r"squawk-cli==(\S+)", (TOP / "setup.cfg").read_text())
    assert pinned
    done = subprocess.run([squawk.binary(), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == pinned[1]


def test_another_squawk_on_path_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "squawk"
    other.write_text("#!/bin/sh\nexit 7\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [each.rule for each in said("create index i on t(x);")] == [INDEX]


def test_without_the_program_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    squawk.binary.cache_clear()
    monkeypatch.setattr(squawk, "PACKAGE", "there-is-no-such-package")
    monkeypatch.setattr(squawk.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(Unavailable, match=re.escape(str(tmp_path))):
        squawk.binary()
    squawk.binary.cache_clear()


@pytest.mark.parametrize(
    "before",
    ["", "\n\n", "select 'é';", "select '😀'; ", "-- é\n/* ü */ ", "select 1;\r\n\r\n", "select 1;\r", "select\t'x';\n\n  "],
)
def test_a_place_is_where_the_statement_begins_in_characters(before: str) -> None:
    text = f"{before}create index i on t(x);"
    assert [(each.rule, each.at) for each in said(text)] == [(INDEX, len(before))]


def test_a_single_statement_in_a_transaction_is_in_a_transaction() -> None:
    text = "create index concurrently i on t(x);"
    assert said(text) == []
    assert [each.rule for each in said(text, in_transaction=True)] == ["ban-concurrent-index-creation-in-transaction"]


def test_a_rule_that_squawk_does_not_know_is_named() -> None:
    with pytest.raises(UsageError, match="no-such-rule"):
        lint(["select 1;"], in_transaction=False, options=Options(excluded=("no-such-rule",)))


def test_an_impossible_version_is_named() -> None:
    with pytest.raises(UsageError, match="sixteen"):
        lint(["select 1;"], in_transaction=False, options=Options(pg_version="sixteen"))


def test_every_rule_that_is_off_or_has_a_meaning_is_one_of_squawks() -> None:
    names = {*OFF, *(each.squawk for each in LINTS)} - {"syntax-error"}
    assert lint(["select 1;"], in_transaction=False, options=Options(excluded=tuple(names))) == [()]


def test_no_squawk_toml_of_a_directory_above_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".squawk.toml").write_text(f'excluded_rules = ["{INDEX}"]\n')
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert [each.rule for each in said("create index i on t(x);")] == [INDEX]


def test_more_texts_than_a_command_line_takes_at_once() -> None:
    texts = ["create index i on t(x);" if number % 2 else "" for number in range(1203)]
    found = lint(texts, in_transaction=False, options=QUIET)
    assert [len(each) for each in found] == [number % 2 for number in range(1203)]
