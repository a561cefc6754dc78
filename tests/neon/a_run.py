"""A run to be interrupted by signals_test.py: prints each stage as a line, at last what became of it as JSON.

Arguments: API host, API key, project id, seconds of the deadline.
"""

from __future__ import annotations

import json
import signal
import sys
import time

from neon_hooks import lifetime
from neon_hooks.deadline import Deadline
from neon_hooks.errors import Interrupted, NeonHooksError
from neon_hooks.neon import branch as life
from neon_hooks.settings import Settings


def tell(words: str) -> None:
    print(words, flush=True)


def main() -> int:
    api_host, api_key, project_id, seconds = sys.argv[1:]
    deadline = Deadline.after(float(seconds))
    settings = Settings(api_host=api_host, api_key=api_key, project_id=project_id)
    branch = life.test_neon_branch(settings, git_sha="a" * 40, git_ref="main", deadline=deadline, say=tell)
    code = 0
    try:
        with lifetime.interruptible(deadline), branch:
            tell("made")
            branch.dsn()
            tell("ready")
            time.sleep(60)
    except (Interrupted, NeonHooksError) as error:
        code = error.exit_code
    for signum in lifetime.SIGNALS:  # what comes now is too late to matter
        signal.signal(signum, signal.SIG_IGN)
    tell(json.dumps({"deleted": branch.facts.deleted, "id": branch.facts.id, "left_over": branch.left_over}))
    return code


sys.exit(main())
