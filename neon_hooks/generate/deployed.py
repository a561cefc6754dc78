"""How far main is: which of the migrations on the main line of git it does not have yet. Pure.

Plain SQL files are recorded nowhere. What each of them does to a database that begins empty tells: main does not have
it where all of that is as it was before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neon_hooks.database.definitions import Definitions

Key = tuple[str, str]
Schema = Mapping[Key, str]


def schema(definitions: Definitions) -> Schema:
    return {key: each.text for key, each in definitions.items()}


def deployed(main: Schema, after: Sequence[Schema]) -> int:
    """How many of the last migrations main has. ``after`` each of them, and before the first, the schema was so.

    What else main has does not matter. Where nothing tells, it is taken to have all of them.
    """
    effects = [_changed(one, other) for one, other in zip(after, after[1:], strict=False)]
    for count in range(len(effects), -1, -1):
        waiting = set[Key]().union(*effects[count:])
        # The last one that shows: a file that only changes rows does not.
        last = next((number for number in range(count - 1, -1, -1) if effects[number]), None)
        there = last is None or _differs(main, after[last], effects[last])
        if there and not _differs(main, after[count], waiting):
            return count
    return len(effects)


def _differs(one: Schema, other: Schema, keys: set[Key]) -> bool:
    return any(one.get(key) != other.get(key) for key in keys)


def _changed(one: Schema, other: Schema) -> set[Key]:
    return {key for key in one.keys() | other.keys() if _differs(one, other, {key})}
