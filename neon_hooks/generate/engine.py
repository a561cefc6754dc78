"""Asking migra, which runs apart (worker.py): its warnings, pins and crashes stay out of this process."""

from __future__ import annotations

import json
import subprocess
import sys

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import NotInstalled, Unavailable
from neon_hooks.generate.worker import NOT_INSTALLED
from neon_hooks.redact import Redactor

WORKER = (sys.executable, "-m", "neon_hooks.generate.worker")
INSTALL = "use the hook `neon-generate-migration`, which brings it, or: pip install 'neon-hooks[migra]'"
MOST_SHOWN = 3  # lines of what a broken engine says


def proposed(current: Dsn, desired: Dsn, deadline: Deadline) -> list[str]:
    """The statements that, migra says, turn one schema into the other. To be proven, not to be believed.

    Raises NotInstalled, and Unavailable when the engine crashes, hangs or answers nonsense.
    """
    redact = Redactor([current.password, desired.password])
    order = json.dumps({"current": current.uri(), "desired": desired.uri()})
    try:
        done = subprocess.run(
            WORKER, input=order, capture_output=True, text=True, timeout=max(1.0, deadline.remaining())
        )
    except subprocess.TimeoutExpired:
        raise deadline.exceeded("migra to compare the schemas") from None
    if done.returncode == NOT_INSTALLED:
        raise NotInstalled(f"migra cannot be imported: {_last(done.stderr, redact)}", fix=INSTALL)
    if done.returncode:
        raise Unavailable(f"migra failed, so nothing is known: {_last(done.stderr, redact)}", fix=REPORT)
    try:
        statements = json.loads(done.stdout.splitlines()[-1])["statements"]
        if not all(isinstance(statement, str) for statement in statements):
            raise TypeError
    except (ValueError, LookupError, TypeError):
        raise Unavailable("migra's process answered with something that is no list of statements", fix=REPORT) from None
    return [text for statement in statements if (text := statement.strip().rstrip(";"))]


REPORT = "write this migration by hand, and tell us which object of the schema it stumbles over"


def _last(output: str, redact: Redactor) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return redact(" / ".join(lines[-MOST_SHOWN:])) if lines else "it says nothing"
