"""A directory that only we can read: the driver shims, the command's files and the journal.

The shims of all languages are loaded, whatever the tool is written in: it may start others.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from neon_hooks.lifetime import shielded

SHIMS = Path(__file__).parent / "shims"


@contextmanager
def private_directory() -> Iterator[Path]:
    """A new directory with the shims in it, which is gone afterwards."""
    with shielded():
        private = Path(tempfile.mkdtemp(prefix="neon-hooks-"))
    try:
        for pattern in ("python/*.py", "node/*.cjs", "node/*.mjs", "ruby/*.rb"):
            for shim in SHIMS.glob(pattern):
                shutil.copyfile(shim, private / shim.name)
        yield private
    finally:
        with shielded():
            shutil.rmtree(private, ignore_errors=True)


def loading(private: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that load the shims into what is started; present values are kept.

    https://docs.python.org/3/using/cmdline.html#envvar-PYTHONPATH, https://nodejs.org/api/cli.html
    (NODE_OPTIONS; a path with spaces stands in double quotes), ruby(1) on RUBYLIB and RUBYOPT.
    """
    shim = str(private / "neon_hooks_shim.cjs").replace("\\", "\\\\").replace('"', '\\"')
    return {
        "PYTHONPATH": _joined(os.pathsep, str(private), environ.get("PYTHONPATH", "")),
        "NODE_OPTIONS": _joined(" ", environ.get("NODE_OPTIONS", ""), f'--require "{shim}"'),
        "RUBYLIB": _joined(os.pathsep, str(private), environ.get("RUBYLIB", "")),
        "RUBYOPT": _joined(" ", environ.get("RUBYOPT", ""), "-rneon_hooks_shim"),
    }


def _joined(separator: str, *parts: str) -> str:
    return separator.join(part for part in parts if part)
