"""Which commits the outside says are pushed: flags, pre-commit's variables, standard input."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neon_hooks.changes import RefUpdate
from neon_hooks.errors import UsageError
from neon_hooks.push import INDEX, pushes_from

ONE, TWO, ZERO = "1" * 40, "2" * 40, "0" * 40
LINE = f"refs/heads/x {ONE} refs/heads/x {TWO}\n"


class Untouchable:
    """Standard input under pre-commit: who reads it may wait for ever."""

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("standard input was read")


def names(environ: dict[str, str], **flags: object) -> list[str]:
    return [push.name for push in pushes_from(environ, **flags)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ["HEAD"]),
        ({"FROM_REF": ONE, "TO_REF": TWO}, [TWO]),
        ({"FROM_REF": "HEAD~1", "TO_REF": "HEAD"}, ["HEAD"]),
        ({"TO_REF": TWO}, [TWO]),
        ({"FROM_REF": ONE}, ["HEAD"]),
        ({"TO_REF": ZERO}, ["HEAD"]),
        ({"LOCAL_BRANCH": "refs/heads/x", "REMOTE_BRANCH": "refs/heads/x"}, ["refs/heads/x"]),
        ({"TO_REF": TWO, "LOCAL_BRANCH": "refs/heads/x"}, [TWO, "refs/heads/x"]),
    ],
)
def test_pre_commit_tells_in_several_ways(environ: dict[str, str], expected: list[str]) -> None:
    told = {"PRE_COMMIT": "1", **{f"PRE_COMMIT_{key}": value for key, value in environ.items()}}
    assert names(told, stdin=Untouchable()) == expected


@pytest.mark.parametrize("marker", [{}, {"PRE_COMMIT": ""}, {"PRE_COMMIT": "0"}])
def test_inherited_variables_mean_nothing_without_pre_commit(marker: dict[str, str]) -> None:
    assert names({"PRE_COMMIT_TO_REF": ONE, **marker}) == ["HEAD"]
    assert names({"PRE_COMMIT_TO_REF": ONE, **marker}, stdin=[]) == []


def test_a_commit_hook_checks_the_index() -> None:
    committing = {"PRE_COMMIT": "1", "GIT_INDEX_FILE": ".git/index"}
    assert names(committing) == [INDEX]
    assert names({**committing, "PRE_COMMIT_TO_REF": ONE}) == [ONE]
    assert names({"GIT_INDEX_FILE": ".git/index"}) == ["HEAD"]
    assert names({}, staged=True) == [INDEX]


def test_flags_win() -> None:
    told = {"PRE_COMMIT": "1", "PRE_COMMIT_TO_REF": ONE, "PRE_COMMIT_REMOTE_NAME": "up"}
    (push,) = pushes_from(told, to_ref="v1", stdin=Untouchable())
    assert (push.name, push.required, push.remote_name) == ("v1", True, "up")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", []),
        ("\n", []),
        (LINE, [ONE]),
        (LINE + f"refs/tags/v1 {TWO} refs/tags/v1 {ZERO}\n", [ONE, TWO]),
        (f"(delete) {ZERO} refs/heads/x {ONE}\n", []),
        (f"(delete) {'0' * 64} refs/heads/x {'1' * 64}\n", []),
        (f"(delete) {ZERO} refs/heads/y {ONE}\n{LINE}", [ONE]),
        (f"HEAD@{{3 days ago}} {ONE} refs/heads/x {ZERO}\n", [ONE]),
    ],
)
def test_standard_input_has_one_line_for_each_ref(lines: str, expected: list[str]) -> None:
    assert names({}, stdin=lines.splitlines(keepends=True), remote_name="origin") == expected


def test_a_line_that_git_does_not_write_is_an_error() -> None:
    with pytest.raises(UsageError, match="standard input"):
        pushes_from({}, stdin=["what is this"])


@pytest.mark.parametrize(
    ("local_ref", "spoken"),
    [("refs/heads/a/b", "a/b"), ("refs/tags/v1", "v1"), ("HEAD", "HEAD"), (ONE, ONE)],
)
def test_a_push_has_a_name_for_people(local_ref: str, spoken: str) -> None:
    (push,) = pushes_from({}, stdin=[f"{local_ref} {ONE} refs/heads/x {ZERO}"])
    assert push.git_ref == spoken
    assert push.updates == (RefUpdate(local_ref, ONE, "refs/heads/x", ZERO),)
