"""Which migrations main has, from what each of them did to an empty database."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from neon_hooks.generate.deployed import Schema, deployed


def schemas(*texts: str) -> list[Schema]:
    return [one(text) for text in texts]


def one(text: str) -> Mapping[tuple[str, str], str]:
    """ "a1 b" is an object a whose text is 1, and an object b."""
    return {("table", word[0]): word[1:] for word in text.split()}


@pytest.mark.parametrize(
    ("main", "after", "count"),
    [
        ("", ("", "a1"), 0),
        ("a1", ("", "a1"), 1),
        ("x9 a1", ("", "a1", "a1 b1"), 1),  # what somebody else made does not matter
        ("a1 b1", ("", "a1", "a1 b1"), 2),
        ("a1", ("", "a1", "a2", "a1"), 3),  # back again: nothing tells, so it is all there
        ("a2", ("", "a1", "a2", "a2 b1"), 2),
        ("a1", ("", "a1", "a1", "a1 b1"), 2),  # rows only, in between
        ("a1", ("", "a1", "a1"), 2),  # rows only, at the end
        ("", ("", "a1", "a1"), 0),  # with what came before them
        ("b1", ("", "a1", "a1 b1", "b1"), 3),
        ("a7", ("", "a1", "a1 b1"), 1),
        ("a7 b7", ("", "a1", "a1 b1"), 2),  # changed by hand: nothing fits
        ("a1", ("a1",), 0),
    ],
)
def test_main_has_what_it_shows(main: str, after: tuple[str, ...], count: int) -> None:
    assert deployed(one(main), schemas(*after)) == count
