"""Who finds the program of a command: one module for each family of tools, and this table."""

from __future__ import annotations

from collections.abc import Mapping

from neon_hooks.run.families import jvm, native, node, python, ruby
from neon_hooks.run.families.base import Find

FAMILIES: Mapping[str, Find] = {
    "python": python.find,
    "node": node.find,
    "ruby": ruby.find,
    "jvm": jvm.find,
    "native": native.find,
}
