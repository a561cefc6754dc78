"""The process that migra runs in: ``python -m neon_hooks.generate.worker``, JSON in and JSON out.

Standard input has the connection strings, as a command line can be read by everybody on the machine. The answer is
the last line of standard output; without one, or with another exit code than 0, there is none, which
never means "no changes". Needs neither setuptools nor SQLAlchemy nor another driver than ours.
"""

from __future__ import annotations

import importlib.resources
import json
import sys
from types import ModuleType
from typing import IO

from neon_hooks.database.namedrows import NamedRows
from neon_hooks.dsn import Dsn

NOT_INSTALLED = 69  # EX_UNAVAILABLE of sysexits.h


def main() -> int:
    order = json.load(sys.stdin)
    _provide_pkg_resources()
    try:
        from migra import Migration
    except ImportError as error:
        print(error, file=sys.stderr)
        return NOT_INSTALLED
    current, desired = NamedRows(Dsn.parse(order["current"])), NamedRows(Dsn.parse(order["desired"]))
    migration = Migration(current, desired)
    migration.set_safety(False)
    migration.add_all_changes(privileges=True)
    print(json.dumps({"statements": [str(statement) for statement in migration.statements]}))
    return 0


def _provide_pkg_resources() -> None:
    """The one function that schemainspect takes from setuptools, which has not had it since version 82."""
    if "pkg_resources" in sys.modules:
        return
    module = ModuleType("pkg_resources")

    def resource_stream(name: str, path: str) -> IO[bytes]:
        package = name if hasattr(sys.modules[name], "__path__") else name.rpartition(".")[0]
        return importlib.resources.files(package).joinpath(path).open("rb")

    module.resource_stream = resource_stream  # type: ignore[attr-defined]
    sys.modules["pkg_resources"] = module


if __name__ == "__main__":
    raise SystemExit(main())
