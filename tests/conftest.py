"""Fixtures by subject (fix_*.py), and the rule about skips.

A test that needs a tool which this machine lacks is skipped and says which. In CI nothing may be missing:
with NEON_HOOKS_TEST_NO_SKIPS=1 every skip is a failure.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

# Whoever starts the suite in the background may have it ignore signals, which every process that a test
# starts would inherit (execve(2)) and then never be interrupted.
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

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
