"""What a value of a setting must look like. Pure: each check returns the value to keep.

A check raises ValueError that says what is expected; Wrong where its message already names the key.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from neon_hooks.deadline import parse_duration

Check = Callable[[Any], Any]  # returns the value to keep; raises ValueError with what is expected


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def flag(value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, str):
        value = words.get(value.lower())
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def directory(value: Any) -> str:
    path = text(value).replace("\\", "/").strip("/")
    if ".." in path.split("/"):
        raise ValueError("a directory inside the repository")
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def paths(value: Any) -> tuple[str, ...]:
    """One, or a list."""
    return tuple(directory(path) for path in ([value] if isinstance(value, str) else texts(value)))


def texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(word for word in value.replace(",", " ").split())
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of texts")
    return tuple(value)


def command(value: Any) -> str:
    """Kept as one text, quoted for a shell."""
    try:
        words = shlex.split(value) if isinstance(value, str) else list(texts(value))
    except ValueError:
        words = []
    if not words or not all(words):
        raise ValueError('a command such as "make migrate" or ["make", "migrate"]')
    return shlex.join(words)


def names(value: Any) -> tuple[str, ...]:
    found = texts(value)
    if not all(re.fullmatch(r"[A-Za-z_]\w*", name) for name in found):
        raise ValueError("a list of names of environment variables")
    return found


def pattern(value: Any) -> str:
    try:
        re.compile(text(value))
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from None
    return str(value)


def expression(value: Any) -> str:
    if not text(value).strip() or ";" in value or "--" in value:
        raise ValueError('one SQL expression over a row of `table`, such as "version" or "name || \'.sql\'"')
    return str(value)


def one_of(*words: str) -> Check:
    def check(value: Any) -> str:
        if value not in words:
            raise ValueError("one of " + ", ".join(f'"{word}"' for word in words))
        return str(value)

    return check


def duration(most: float) -> Check:
    def check(value: Any) -> float:
        seconds = _seconds(value)
        if not 0 < seconds <= most:
            raise ValueError(f'a duration such as "60s", "2m" or "4h", at most {most:g} s')
        return seconds

    return check


def milliseconds(value: Any) -> float:
    seconds = _seconds(value)
    if not seconds > 0:
        raise ValueError('a duration such as "500ms" or "2s"')
    return seconds * 1000


def _seconds(value: Any) -> float:
    """0 for what is no duration; each kind says which ones it takes."""
    try:
        return parse_duration(value) if isinstance(value, str) else 0.0
    except ValueError:
        return 0.0


def count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a whole number, at least 1")
    return value


def table(of: type, keys: Mapping[str, Check], required: Sequence[str] = ()) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("a table")
        for key in required:
            if key not in value:
                raise ValueError(f"a table with the key `{key}`")
        return of(**{key: checked(key, item, keys) for key, item in value.items()})

    return check


def list_of(name: str, check: Check) -> Check:
    def check_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError(f"a list of tables ([[{name}]])")
        return tuple(check(item) for item in value)

    return check_all


class Wrong(ValueError):
    """A nested key is wrong: the message already names it."""


def checked(key: str, value: Any, keys: Mapping[str, Check]) -> Any:
    if key not in keys:
        raise Wrong(f"`{key}` is not a key; valid keys: {', '.join(sorted(keys))}")
    try:
        return keys[key](value)
    except Wrong as error:
        raise Wrong(f"in `{key}`: {error}") from None
    except ValueError as error:
        raise Wrong(f"`{key}` has the value {value!r}; expected {error}") from None
