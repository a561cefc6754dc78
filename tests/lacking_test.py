"""What a failed migration lacked is told apart from a mistake in it, by words that leave no doubt."""

from __future__ import annotations

import pytest

from neon_hooks.facts import DatabaseError, Statement, ToolRun
from neon_hooks.lacking import lack_of


def refused(message: str) -> ToolRun:
    return ToolRun(("tool",), 1, 1.0, "", statements=(Statement("select 1", error=DatabaseError("", message)),))


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ('extension "http" is not available', 'extension "http"'),
        ('could not open extension control file "/usr/share/extension/vector.control": No such file or directory',
         'extension "vector"'),
        ('extension "postgis" has no installation script nor update path for version "9"',
         'this version of extension "postgis"'),
        ("pg_cron can only be loaded via shared_preload_libraries", "pg_cron in shared_preload_libraries"),
        ('could not access file "$libdir/wal2json": No such file or directory', 'library "wal2json"'),
        ('role "app_user" does not exist', 'role "app_user"'),
        ("function uuidv7() does not exist", "uuidv7(), which Postgres has since version 18"),
    ],
)  # fmt: skip
def test_a_thing_of_the_servers(message: str, what: str) -> None:
    lack = lack_of(refused(message))
    assert lack and (lack.what, lack.on_server) == (what, True) and lack.fix


@pytest.mark.parametrize(
    "message",
    [
        'relation "t" does not exist', 'type "nonsense" does not exist', "function my_own(integer) does not exist",
        'syntax error at or near "TABLE"', 'permission denied to create extension "http"',
        'column "role" does not exist',
    ],
)  # fmt: skip
def test_a_mistake_in_the_migration_is_no_lack(message: str) -> None:
    assert lack_of(refused(message)) is None


@pytest.mark.parametrize(
    ("output", "what"),
    [
        ("Error: Cannot find module 'mime-types'\nRequire stack:\n- /x/1_a.js\n", "the package mime-types"),
        ("Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@acme/ids' imported from /x/1_a.mjs", "the package @acme/ids"),
        ("Traceback (most recent call last):\n  ...\nModuleNotFoundError: No module named 'pycurl'", "the package pycurl"),
        ("rake aborted!\nLoadError: cannot load such file -- bootsnap/setup\n", "the package bootsnap/setup"),
    ],
)
def test_a_package_of_the_projects(output: str, what: str) -> None:
    lack = lack_of(ToolRun(("tool",), 1, 1.0, output))
    assert lack and (lack.what, lack.on_server) == (what, False)


@pytest.mark.parametrize(
    "output",
    [
        "Error: Cannot find module './helpers/names'\n", "Error: Cannot find module '/x/migrations/gone.js'\n",
        "ModuleNotFoundError: No module named 'shop.gone'\n", "LoadError: cannot load such file -- /x/gone\n",
        "KeyError: 'X'\n",
    ],
)  # fmt: skip
def test_a_file_that_was_not_committed_is_a_mistake(output: str) -> None:
    assert lack_of(ToolRun(("tool",), 1, 1.0, output)) is None


def test_a_run_that_ended_well_lacked_nothing() -> None:
    assert lack_of(ToolRun(("tool",), 0, 1.0, "warning: Cannot find module 'fsevents'\n")) is None
    assert lack_of(None) is None
