"""The Neon API v2 on embedded Postgres: for demonstrations, tests and work without a network.

From the bottom up: binaries (which Postgres), home (the directory on disk), postgres (one cluster),
template and fleet (all of them), project (the state), operations (what takes time), lifecycle, computes,
contents and masking (the rules), routes and server (HTTP), emulator (the whole), serve (the command).
"""

import os

from neon_hooks.errors import UsageError

if os.name != "posix":
    raise UsageError("the emulator needs Linux or macOS", fix="use a Neon project")

from neon_hooks.emulator.emulator import Emulator

__all__ = ["Emulator"]
