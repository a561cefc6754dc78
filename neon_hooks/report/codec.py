"""Frozen dataclasses to JSON's plain values and back, by their type hints. Knows nothing of what they mean.

What is read may come from anybody's file: a value of the wrong kind is Wrong, with the place where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

DIGITS = 3  # of a millisecond
AS_THEY_ARE = frozenset({str, int, bool, type(None)})
SCALARS: Mapping[type, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}
WORDS: Mapping[type, str] = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
LARGEST = 2**63  # bigint

NOTHING_TOLD: frozenset[str] = frozenset()


class Wrong(ValueError):
    """The message says where, and what should stand there."""


def encode(value: Any) -> Any:
    kind: Any = type(value)
    if kind in AS_THEY_ARE:
        return value
    if kind is float:
        return round(value, DIGITS)
    if kind is tuple or kind is list:
        return [encode(item) for item in value]
    if is_dataclass(kind):
        return others(value, NOTHING_TOLD)
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    return value


def others(value: Any, told: frozenset[str]) -> dict[str, Any]:
    """The fields of a dataclass that are not in ``told``, encoded."""
    kind: Any = type(value)
    return {name: encode(getattr(value, name)) for name in _names(kind) if name not in told}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def decode(kind: Any, value: Any, where: str = "") -> Any:
    """``value`` as the type hint ``kind`` says. Keys that a dataclass does not have are left alone."""
    if kind is Any:
        return value
    if kind in SCALARS:
        # bool is an int for Python, and not for JSON.
        if not isinstance(value, SCALARS[kind]) or isinstance(value, bool) != (kind is bool):
            raise Wrong(f"`{where}` must be {WORDS[kind]}")
        plain: Any = value
        if kind in (int, float) and not abs(plain) < LARGEST:  # NaN is not, either
            raise Wrong(f"`{where}` must be {WORDS[kind]} that can be measured")
        return plain
    if is_dataclass(kind):
        return _object(kind, value, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if value is None and type(None) in inner:
            return None
        return decode(next(one for one in inner if one is not type(None)), value, where)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if value not in tuple(kind):
            raise Wrong(f"`{where}` must be one of {', '.join(kind)}")
        return kind(value)
    if origin in (tuple, frozenset):
        return origin(_items(inner, value, where))
    return _mapping(inner, value, where)


def given(kind: Any, table: Mapping[str, Any], told: frozenset[str], where: str) -> dict[str, Any]:
    """What ``others`` has written, as arguments for ``kind``. What is not there keeps its default."""
    prefix = f"{where}." if where else ""
    names = [name for name in _names(kind) if name in table and name not in told]
    return {name: decode(_hints(kind)[name], table[name], prefix + name) for name in names}


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _object(kind: Any, value: Any, where: str) -> Any:
    table = as_object(value, where)
    prefix = f"{where}." if where else ""
    for field in fields(kind):
        if field.name not in table and field.default is MISSING and field.default_factory is MISSING:
            raise Wrong(f"`{prefix}{field.name}` is missing")
    return kind(**given(kind, table, NOTHING_TOLD, where))


def _items(inner: tuple[Any, ...], value: Any, where: str) -> list[Any]:
    """Of ``tuple[T, ...]`` and ``frozenset[T]``, or of a tuple of fixed length."""
    items = as_list(value, where)
    kinds = inner[:1] * len(items) if len(inner) == 1 or inner[1] is Ellipsis else inner
    if len(kinds) != len(items):
        raise Wrong(f"`{where}` must have {len(kinds)} items")
    return [decode(kind, item, f"{where}[{number}]") for number, (kind, item) in enumerate(zip(kinds, items))]


def _mapping(inner: tuple[Any, ...], value: Any, where: str) -> dict[Any, Any]:
    key_kind, item_kind = inner
    table = as_object(value, where)
    if key_kind is int and not all(key.isdecimal() for key in table):
        raise Wrong(f"`{where}` must have numbers as its keys")
    return {key_kind(key): decode(item_kind, item, f"{where}.{key}") for key, item in table.items()}


def as_object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong(f"`{where}` must be an object")
    return value


def as_list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise Wrong(f"`{where}` must be a list")
    return value
