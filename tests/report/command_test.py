"""``neon-hooks report``, and where the flags put what they ask for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from neon_hooks import cli
from neon_hooks.report import as_json, as_markdown
from tests.report import runs


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "RUN.json"
    file.write_text(as_json.render((runs.shop(), runs.refused())))
    return file


def test_a_saved_run_is_told_again(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", str(saved)]) == 0
    said = capsys.readouterr().out
    assert f"{runs.ORDERS}:18: writes to orders" in said and "could not create unique index" in said
    assert "to skip this check" not in said


@pytest.mark.parametrize("name", cli.REPORT_FORMATS)
def test_every_format_can_be_made_of_a_saved_run(saved: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert cli.main(["report", str(saved), "--format", name]) == 0
    printed = capsys.readouterr().out
    assert cli.main(["report", str(saved), "--format", name, "--output", str(saved.parent / "out")]) == 0
    assert (saved.parent / "out").read_text() == printed
    assert "writes to orders" in capsys.readouterr().out  # the text is printed all the same


def test_a_saved_run_saved_again_is_the_same(saved: Path) -> None:
    assert cli.main(["report", str(saved), "--format", "json", "--output", str(saved.parent / "again")]) == 0
    assert (saved.parent / "again").read_text().strip() == saved.read_text().strip()


def test_the_page_is_written_beside_whatever_is_printed(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = saved.parent / "run.html"
    assert cli.main(["report", str(saved), "--html", str(page)]) == 0
    assert page.read_text().startswith("<!DOCTYPE html>\n<html lang=\"en\">")
    assert "writes to orders" in capsys.readouterr().out


def test_a_page_that_cannot_be_written_is_said(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", str(saved), "--html", "/no/such/dir/x.html"]) == 2
    assert "cannot write /no/such/dir/x.html" in (said := capsys.readouterr().err) and "--html" in said


def test_hostile_texts_go_into_files(tmp_path: Path) -> None:
    file = tmp_path / "RUN.json"
    file.write_text(as_json.render((runs.hostile(),)), errors="backslashreplace")
    for name in cli.REPORT_FORMATS:
        argv = ["report", str(file), "--format", name, "--output", str(tmp_path / name), "--html", str(tmp_path / "html")]
        assert cli.main(argv) == 0
    assert json.loads((tmp_path / "json").read_text())["data"] == runs.HOSTILE


def test_github_gets_a_summary_where_it_shows_one(
    saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = saved.parent / "summary.md"
    page.write_text("# of another step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert cli.main(["report", str(saved), "--format", "json"]) == 0
    assert page.read_text() == "# of another step\n"
    assert cli.main(["report", str(saved), "--format", "github"]) == 0
    assert page.read_text() == "# of another step\n" + as_markdown.render((runs.shop(), runs.refused())) + "\n"
    assert capsys.readouterr().out.splitlines()[-1].startswith("::error file=")


def test_a_file_that_is_no_saved_run_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert cli.main(["report", str(tmp_path / "x.json")]) == 2
    assert "x.json: not a saved run of neon-hooks\n  fix: make one with" in capsys.readouterr().err


@pytest.mark.parametrize(("encoding", "bar"), [("utf-8", "│████"), ("ascii", "|####"), ("latin-1", "|####")])
def test_the_picture_is_drawn_with_what_the_terminal_has(saved: Path, encoding: str, bar: str) -> None:
    environ = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        (sys.executable, "-m", "neon_hooks", "report", str(saved)), env=environ, capture_output=True, check=True
    )
    assert bar in done.stdout.decode(encoding)
