"""Loaded by the project's interpreter at its start, through PYTHONPATH (docs.python.org, module site).

Puts the driver shim in place, then runs the sitecustomize that would have been loaded without us. Standard
library only, Python 3.8 and later; whatever goes wrong here must not stop the program.
"""

from __future__ import annotations

import os
import sys


def _install() -> None:
    import importlib

    importlib.import_module("neon_hooks_shim").install()


def _other_sitecustomize() -> None:
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    here = os.path.realpath(os.path.dirname(os.path.abspath(__file__)))
    elsewhere = [path for path in sys.path if os.path.realpath(path or os.curdir) != here]
    spec = PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


try:
    _install()
except Exception as error:
    # The run is then not "redirected": the journal has no line that says that the shim was loaded.
    sys.stderr.write("neon-hooks: the driver shim could not be loaded: %r\n" % (error,))
_other_sitecustomize()
