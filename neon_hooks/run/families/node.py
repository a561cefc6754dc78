"""Programs of the project's npm packages, and Node itself. Never npx: it would download what is missing."""

from __future__ import annotations

from pathlib import Path

from neon_hooks.errors import Unavailable
from neon_hooks.plan import Command
from neon_hooks.run.families.base import Found, Search, by_path, not_installed, startable

BIN = "node_modules/.bin"
OF_NODE = ("node", "npm", "pnpm", "yarn")  # these come with Node, not with the project
PROBE = 'process.stdout.write(globalThis[Symbol.for("neon-hooks")] ? "loaded" : "not loaded")'
OTHER_RUNTIMES = (b"bun", b"deno")


def find(command: Command, search: Search) -> Found:
    name = command.argv[0]
    path = by_path(command, search) or search.below((BIN,), name)
    if not path and name in OF_NODE:
        path = search.on_path(name)
    if not path:
        raise not_installed(command, (f"{BIN} of {search.root or 'the repository'} and above",))
    _check_runtime(name, path)
    node = search.on_path("node")
    if not node:
        raise not_installed(Command(("node", *command.argv), command.family), ("PATH",))
    if search.output(node, "-e", PROBE) != "loaded":
        raise Unavailable(
            f"{node} does not load the driver shim from NODE_OPTIONS; without it an address in the project's"
            " code could lead to another database",
            fix="use Node 18 or later, not restricted by --permission",
        )
    return Found(startable(path))


def _check_runtime(name: str, path: str) -> None:
    with Path(path).open("rb") as script:
        first = script.readline(200)
    runtime = first.split()[-1] if first.startswith(b"#!") and first.split() else b""
    other = next((word for word in OTHER_RUNTIMES if word in runtime), b"")
    if other:
        raise Unavailable(
            f"{name} runs in {other.decode()}, into which no driver shim can be loaded",
            fix=f"say in `[[systems]] command` how to start {name} with Node",
        )
