"""``neon-hooks emulator``: one line of JSON when it is ready, then the API until a signal comes."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from neon_hooks.emulator.binaries import find
from neon_hooks.emulator.emulator import Emulator
from neon_hooks.lifetime import SIGNALS


def serve(*, port: int = 0, data: Path | None = None, postgres_version: int = 0, postgres: str = "") -> int:
    """Run an emulator until SIGINT, SIGTERM or SIGHUP. Returns the exit code.

    ``postgres``: the directory of an installation (``[local] postgres``). Raises UsageError and Unavailable
    as Emulator does.
    """
    asked = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        asked.set()

    for signum in SIGNALS:
        if signum != signal.SIGHUP or signal.getsignal(signum) != signal.SIG_IGN:  # nohup
            signal.signal(signum, stop)
    with Emulator(data=data, port=port, postgres=find(postgres, postgres_version)) as emulator:
        ready = {
            "api_host": emulator.api_host,
            "api_key": emulator.api_key,
            "project_id": emulator.project_id,
            "connection_uri": emulator.main.uri(),
        }
        if not asked.is_set():
            print(json.dumps(ready), file=sys.stdout, flush=True)
        while not asked.wait(1.0):  # short waits: a signal handler runs only between them on some systems
            continue
    return 0
