"""Maven, Gradle and programs that start a Java of their own. No driver shim can be loaded into them."""

from __future__ import annotations

from neon_hooks.plan import Command
from neon_hooks.run.families.base import Found, Search, by_path, not_installed, startable

WRAPPERS = {"mvn": "mvnw", "gradle": "gradlew"}


def find(command: Command, search: Search) -> Found:
    name = command.argv[0]
    wrapper = WRAPPERS.get(name, "")
    path = by_path(command, search) or (search.below(("",), wrapper) if wrapper else "")
    path = path or search.below(("bin",), name) or search.on_path(name)
    if not path:
        tried = [f"./{wrapper}"] if wrapper else []
        raise not_installed(command, (*tried, "bin/", "PATH"))
    return Found(startable(path))
