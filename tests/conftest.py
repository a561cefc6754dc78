"""Fixtures by subject (fix_*.py), and the rule about skips.

A test that needs a tool which this machine lacks is skipped and says which. In CI nothing may be missing:
with NEON_HOOKS_TEST_NO_SKIPS=1 every skip is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

pytest_plugins = (
    "tests.fix_git",
    "tests.fix_pushes",
    "tests.fix_emulator",
    "tests.fix_neon",
    "tests.fix_systems",
    "tests.fix_database",
    "tests.fix_gate",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.skipped and os.environ.get("NEON_HOOKS_TEST_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skips are forbidden here: {report.longrepr}"
    return report
