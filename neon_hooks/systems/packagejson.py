"""What package.json files say: which packages a directory depends on, and how its scripts call a tool. Pure.

https://docs.npmjs.com/cli/v11/configuring-npm/package-json
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

from neon_hooks.systems.places import own, up_from
from neon_hooks.tree import Tree, join, parent

GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
POSTGRES_DRIVERS = ("pg", "postgres", "pg-native", "@neondatabase/serverless", "@vercel/postgres")
END_OF_COMMAND = re.compile(r"[;&|()<>]+")
Calls = Sequence[Sequence[str]]


def manifest(tree: Tree, directory: str) -> Mapping[str, object]:
    """The object in ``directory/package.json``; {} when there is none or it is no JSON object."""
    try:
        found = json.loads(tree.text(join(directory, "package.json")).removeprefix("\ufeff"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def versions(tree: Tree, directory: str) -> Mapping[str, str]:
    """The packages that the manifest of this very directory asks for, each with its range of versions."""
    read = manifest(tree, directory)
    groups = [_texts(read.get(name)) for name in GROUPS]
    return {name: wanted for group in reversed(groups) for name, wanted in group.items()}


def dependents(tree: Tree, *packages: str) -> list[str]:
    """Every directory whose own manifest asks for one of ``packages``, sorted."""
    names = [f'"{name}"' for name in packages]
    found = (path for path in own(tree.named("package.json")) if any(n in tree.text(path) for n in names))
    return [d for d in map(parent, found) if not versions(tree, d).keys().isdisjoint(packages)]


def depends(tree: Tree, directory: str, *packages: str) -> bool:
    """Whether ``directory`` can use one of ``packages``: a manifest here or further up asks for it."""
    return any(not versions(tree, place).keys().isdisjoint(packages) for place in up_from(directory))


def calls(tree: Tree, directory: str, *tools: str) -> Calls:
    """The words that follow one of ``tools`` in the scripts of this manifest, one list for each call.

    ``node_modules/.bin/knex`` and ``node_modules/knex/bin/cli.js`` are calls of knex as well.
    """
    return [
        words[at + 1 :]
        for script in _texts(manifest(tree, directory).get("scripts")).values()
        for words in _commands(script)
        for at in [_first(words, tools)]
        if at is not None
    ]


def option(found: Calls, *flags: str) -> str:
    """The first value that one of ``flags`` (``-d``, ``--dataSource``) has in these calls, "" if none."""
    for words in found:
        for word, following in zip(words, [*words[1:], ""]):
            name, equals, value = word.partition("=")
            if name in flags and (equals or following):
                return value if equals else following
    return ""


def _texts(value: object) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {key: text for key, text in pairs if isinstance(text, str)}


def _commands(script: str) -> Iterable[list[str]]:
    """The words of each command of a shell line; a line that no shell would take is split at blanks."""
    try:
        lexer = shlex.shlex(script, posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, ""
        words = list(lexer)
    except ValueError:
        words = script.split()
    command: list[str] = []
    for word in words:
        if END_OF_COMMAND.fullmatch(word):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def _first(words: Sequence[str], tools: Sequence[str]) -> int | None:
    for at, word in enumerate(words):
        path = word.replace("\\", "/")
        if path.rpartition("/")[2] in tools or any(f"node_modules/{tool}/" in path for tool in tools):
            return at
    return None
