"""Programs of the project's gems."""

from __future__ import annotations

from neon_hooks.errors import Unavailable
from neon_hooks.plan import Command
from neon_hooks.run.families.base import Found, Search, by_path, not_installed

PROBE = 'print(defined?(NeonHooksShim) ? "loaded" : "not loaded")'


def find(command: Command, search: Search) -> Found:
    """A binstub, Bundler's idea of the program, or the one on PATH; ``ruby`` itself is on PATH."""
    name = command.argv[0]
    ruby = search.on_path("ruby")
    if not ruby:
        raise not_installed(Command(("ruby", *command.argv), command.family), ("PATH",))
    if search.output(ruby, "-e", PROBE) != "loaded":
        raise Unavailable(
            f"{ruby} does not load the driver shim from RUBYOPT; without it an address in the project's code"
            " could lead to another database",
            fix="use Ruby 2.7 or later",
        )
    argv = (ruby,) if name == "ruby" else _program(command, search, ruby)
    if not argv:
        raise not_installed(command, (f"bin/{name}", f"bundle exec {name}", "PATH"))
    return Found(argv)


def _program(command: Command, search: Search, ruby: str) -> tuple[str, ...]:
    name = command.argv[0]
    stub = by_path(command, search) or search.below(("bin",), name)
    if stub:
        return (ruby, stub)
    bundle = search.on_path("bundle")
    if bundle and search.below(("",), "Gemfile.lock"):
        return (bundle, "exec", name)
    path = search.on_path(name)
    return (path,) if path else ()
