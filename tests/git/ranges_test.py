"""Which base a push is compared with, asked of real repositories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from neon_hooks.changes import Range
from neon_hooks.errors import UsageError
from neon_hooks.git import Repository
from neon_hooks.push import pushes_from
from neon_hooks.ranges import range_of, resolved
from tests.fix_git import Clone

ZERO = "0" * 40
UNKNOWN = "1234567890" * 4


@pytest.fixture
def bare(tmp_path: Path, clone: Clone) -> Path:
    """The remote ``origin``, with main."""
    path = clone.with_bare_remote(tmp_path / "origin.git")
    clone.git("push", "-q", "origin", "main")
    return path


def ranges(
    clone: Clone,
    *lines: str,
    told: Mapping[str, str] | None = None,
    remote: str = "origin",
    url: str = "",
    **flags: str,
) -> list[Range]:
    environ = {f"PRE_COMMIT_{key}": value for key, value in (told or {}).items()}
    if told is not None:
        environ["PRE_COMMIT"] = "1"
    stdin = lines if lines else None
    with Repository.find(clone.path) as repository:
        pushes = pushes_from(
            environ, to_ref=flags.pop("to_ref", ""), remote_name=remote, remote_url=url, stdin=stdin
        )
        return [range_of(repository, push, **flags) for push in resolved(repository, pushes)]


def only(found: list[Range]) -> Range:
    (one,) = found
    return one


def line(clone: Clone, local: str, remote_ref: str, remote_oid: str = ZERO) -> str:
    return f"{local} {clone.git('rev-parse', local)} {remote_ref} {remote_oid}\n"


def test_a_new_git_branch_starts_where_it_left_the_main_line(clone: Clone, bare: Path) -> None:
    base = clone.head
    clone.git("checkout", "-q", "-b", "x")
    clone.commit({"1.sql": "1"})
    target = clone.commit({"2.sql": "2"})
    found = only(ranges(clone, line(clone, "refs/heads/x", "refs/heads/x")))
    assert (found.base, found.target, found.git_ref) == (base, target, "x")
    assert found.rule == "refs/remotes/origin/main"


def test_a_second_push_has_all_that_the_main_line_has_not(clone: Clone, bare: Path) -> None:
    base = clone.head
    clone.git("checkout", "-q", "-b", "x")
    old_tip = clone.commit({"1.sql": "1"})
    clone.git("push", "-q", "origin", "x")
    clone.commit({"2.sql": "2"})
    assert only(ranges(clone, line(clone, "refs/heads/x", "refs/heads/x", old_tip))).base == base
    assert only(ranges(clone, told={"FROM_REF": old_tip, "TO_REF": clone.head}, remote="")).base == base


def test_merged_work_of_others_is_not_new(clone: Clone, bare: Path) -> None:
    clone.git("checkout", "-q", "-b", "x")
    clone.commit({"1.sql": "1"})
    clone.git("checkout", "-q", "main")
    theirs = clone.commit({"theirs.sql": "t"})
    clone.git("push", "-q", "origin", "main")
    clone.git("checkout", "-q", "x")
    clone.git("merge", "-q", "-m", "merge", "main")
    assert only(ranges(clone, line(clone, "refs/heads/x", "refs/heads/x"))).base == theirs


def test_a_commit_that_the_main_line_has_brings_nothing(clone: Clone, bare: Path) -> None:
    found = only(ranges(clone, line(clone, "refs/heads/main", "refs/heads/again")))
    assert found.base == found.target == clone.head


def test_a_first_push_brings_everything(clone: Clone, tmp_path: Path) -> None:
    clone.with_bare_remote(tmp_path / "empty.git")
    found = only(ranges(clone, line(clone, "refs/heads/main", "refs/heads/main")))
    assert (found.base, found.published) == (None, None)


def test_an_orphan_brings_everything(clone: Clone, bare: Path) -> None:
    clone.git("checkout", "-q", "--orphan", "o")
    clone.commit({"1.sql": "1"})
    assert only(ranges(clone, line(clone, "refs/heads/o", "refs/heads/o"))).base is None


@pytest.mark.parametrize(
    ("heads", "default", "expected"),
    [
        (["trunk", "feature"], "", "trunk"),
        (["develop", "master"], "", "master"),
        (["production", "main"], "production", "production"),
        (["feature"], "", None),
    ],
)
def test_the_main_line_has_one_of_the_usual_names(
    clone: Clone, tmp_path: Path, heads: list[str], default: str, expected: str | None
) -> None:
    clone.with_bare_remote(tmp_path / "origin.git")
    for head in heads:
        clone.git("push", "-q", "origin", f"main:refs/heads/{head}")
    if default:
        clone.git("config", "init.defaultBranch", default)
    clone.commit({"1.sql": "1"})
    rule = only(ranges(clone, line(clone, "refs/heads/main", "refs/heads/x"))).rule
    assert rule == (f"refs/remotes/origin/{expected}" if expected else "nothing is published yet")


def test_the_remotes_own_head_comes_first(clone: Clone, bare: Path) -> None:
    clone.git("push", "-q", "origin", "main:release")
    clone.git("remote", "set-head", "origin", "release")
    clone.commit({"1.sql": "1"})
    found = only(ranges(clone, line(clone, "refs/heads/main", "refs/heads/x")))
    assert found.rule == "refs/remotes/origin/HEAD"


def test_without_a_main_line_the_old_tip_counts(clone: Clone, tmp_path: Path) -> None:
    clone.with_bare_remote(tmp_path / "origin.git")
    old_tip = clone.head
    clone.commit({"1.sql": "1"})
    found = only(ranges(clone, line(clone, "refs/heads/main", "refs/heads/x", old_tip)))
    assert (found.base, found.rule) == (old_tip, "the last push")
    amended = clone.commit({"2.sql": "2"}, amend=True)
    clone.git("branch", "-f", "old", f"{amended}~0")
    assert only(ranges(clone, told={"FROM_REF": "HEAD~1", "TO_REF": "HEAD"}, remote="")).base == old_tip


@pytest.mark.parametrize("hint", [UNKNOWN, "no-such-ref", "HEAD~99", "--all", "HEAD:README"])
def test_a_hint_that_means_nothing_is_no_error(clone: Clone, bare: Path, hint: str) -> None:
    clone.commit({"1.sql": "1"})
    base = clone.git("rev-parse", "origin/main")
    assert only(ranges(clone, told={"FROM_REF": hint, "TO_REF": "HEAD"}, remote="")).base == base
    if hint != "HEAD:README":  # a file is no commit: there is nothing to check
        found = only(ranges(clone, told={"TO_REF": hint}, remote=""))
        assert (found.base, found.target) == (base, clone.head)


def test_a_stale_inherited_target_does_not_hide_what_is_pushed(clone: Clone, bare: Path) -> None:
    stale = clone.head
    clone.git("checkout", "-q", "-b", "x")
    clone.commit({"1.sql": "1"})
    told = {"TO_REF": stale, "LOCAL_BRANCH": "refs/heads/x", "REMOTE_BRANCH": "refs/heads/x"}
    assert [found.target for found in ranges(clone, told=told)] == [stale, clone.head]


def test_each_commit_is_checked_once_and_only_commits_are(clone: Clone, bare: Path) -> None:
    clone.git("tag", "-a", "-m", "v1", "v1")
    clone.git("tag", "file", "HEAD:README")
    refs = ("refs/heads/main", "refs/tags/v1", "refs/tags/file", "HEAD")
    assert only(ranges(clone, *(line(clone, ref, ref) for ref in refs))).target == clone.head
    assert ranges(clone, line(clone, "refs/tags/file", "refs/tags/file")) == []


def test_an_unborn_head_has_nothing_to_check(tmp_path: Path, git_environ: None) -> None:
    assert ranges(Clone.init(tmp_path / "unborn")) == []


# Settings and flags


def test_the_setting_base_comes_first(clone: Clone, bare: Path) -> None:
    first = clone.head
    clone.git("tag", "deployed")
    clone.commit({"1.sql": "1"})
    clone.git("push", "-q", "origin", "main")
    found = only(ranges(clone, base="deployed"))
    assert (found.base, found.rule) == (first, "the setting base, deployed")
    with pytest.raises(UsageError, match="the setting base, gone: there is no such commit"):
        ranges(clone, base="gone")


def test_from_ref_is_what_the_user_says(clone: Clone, bare: Path) -> None:
    clone.commit({"1.sql": "1"})
    clone.git("checkout", "-q", "-b", "side", "HEAD~1")
    clone.commit({"2.sql": "2"})
    assert only(ranges(clone, from_ref="main")).base == clone.git("rev-parse", "HEAD~1")
    assert only(ranges(clone, from_ref="HEAD~0")).base == clone.head
    clone.git("checkout", "-q", "--orphan", "o")
    clone.commit({"3.sql": "3"})
    assert only(ranges(clone, from_ref="main")).base == clone.git("rev-parse", "main")
    for wrong in ("gone", "HEAD:README", "-h"):
        with pytest.raises(UsageError, match="--from-ref"):
            ranges(clone, from_ref=wrong)
    with pytest.raises(UsageError, match="gone is not a commit"):
        ranges(clone, to_ref="gone")


def test_all_takes_everything_for_new(clone: Clone, bare: Path) -> None:
    with Repository.find(clone.path) as repository:
        (push,) = resolved(repository, pushes_from({}))
        found = range_of(repository, push, everything=True)
    assert (found.base, found.rule) == (None, "--all")


def test_the_index_is_compared_with_the_main_line(clone: Clone, bare: Path) -> None:
    base = clone.head
    clone.commit({"1.sql": "1"})
    clone.write({"2.sql": "2"})
    clone.git("add", "2.sql")
    with Repository.find(clone.path) as repository:
        (push,) = resolved(repository, pushes_from({}, staged=True))
        found = range_of(repository, push)
        assert repository.changes(found).added == {"1.sql", "2.sql"}
    assert (found.base, found.staged, found.git_ref) == (base, True, "the index")


# Remotes by URL


def test_a_push_by_url_finds_the_remote_that_has_it(clone: Clone, tmp_path: Path, bare: Path) -> None:
    fork = clone.with_bare_remote(tmp_path / "fork.git", "fork")
    clone.commit({"1.sql": "1"})
    clone.git("push", "-q", "fork", "main")
    clone.commit({"2.sql": "2"})
    for url, remote in ((fork, "fork"), (bare, "origin"), ("https://example.com/other", "origin")):
        found = only(ranges(clone, line(clone, "HEAD", "refs/heads/x"), remote=str(url), url=str(url)))
        assert found.rule == f"refs/remotes/{remote}/main"


def test_a_rewritten_url_and_a_push_url_are_recognised(clone: Clone, tmp_path: Path, bare: Path) -> None:
    fork = clone.with_bare_remote(tmp_path / "fork.git", "fork")
    clone.git("push", "-q", "fork", "main")
    clone.git("config", "url.https://example.com/.insteadOf", "ex:")
    clone.git("remote", "set-url", "fork", "ex:fork.git")
    clone.git("remote", "set-url", "--push", "fork", str(fork))
    clone.commit({"1.sql": "1"})
    for url in ("https://example.com/fork", str(fork), f"{fork}/"):
        found = only(ranges(clone, line(clone, "HEAD", "refs/heads/x"), remote=url, url=url))
        assert found.rule == "refs/remotes/fork/main"


def test_a_remote_without_origin_is_found_without_a_push(clone: Clone, tmp_path: Path) -> None:
    clone.with_bare_remote(tmp_path / "up.git", "upstream")
    clone.git("push", "-q", "upstream", "main")
    clone.commit({"1.sql": "1"})
    assert only(ranges(clone, remote="")).rule == "refs/remotes/upstream/main"


def test_a_named_remote_that_was_never_fetched_has_nothing(clone: Clone, tmp_path: Path, bare: Path) -> None:
    clone.with_bare_remote(tmp_path / "fork.git", "fork")
    assert only(ranges(clone, line(clone, "HEAD", "refs/heads/x"), remote="fork")).base is None


# The main line rewritten


@pytest.mark.parametrize("with_head", [True, False])
@pytest.mark.parametrize("told_by", ["git", "git, tip unknown here", "pre-commit", "prek"])
def test_a_forced_push_of_the_main_line_knows_what_it_replaces(
    clone: Clone, bare: Path, with_head: bool, told_by: str
) -> None:
    base = clone.head
    old_tip = clone.commit({"1.sql": "1"})
    clone.git("push", "-q", "origin", "main")
    if with_head:
        clone.git("remote", "set-head", "origin", "main")
    target = clone.commit({"1.sql": "one"}, amend=True)
    refs = {"LOCAL_BRANCH": "refs/heads/main", "REMOTE_BRANCH": "refs/heads/main", "TO_REF": target}
    refs |= {"REMOTE_NAME": "origin", "REMOTE_URL": str(bare)}
    found = only(
        {
            "git": lambda: ranges(clone, line(clone, "refs/heads/main", "refs/heads/main", old_tip)),
            "git, tip unknown here": lambda: ranges(
                clone, line(clone, "refs/heads/main", "refs/heads/main", UNKNOWN)
            ),
            "pre-commit": lambda: ranges(clone, told={**refs, "FROM_REF": old_tip}),
            "prek": lambda: ranges(clone, told={**refs, "FROM_REF": base}),
        }[told_by]()
    )
    assert (found.base, found.target, found.published) == (base, target, old_tip)


def test_other_forced_pushes_replace_nothing_published(clone: Clone, bare: Path) -> None:
    clone.git("remote", "set-head", "origin", "main")
    clone.git("push", "-q", "origin", "main:x")  # x is where main is, but it is not the main line
    main = clone.head
    target = clone.commit({"README": "other"}, amend=True)
    assert only(ranges(clone, line(clone, "HEAD", "refs/heads/x", main))).published is None
    assert only(ranges(clone, line(clone, "HEAD", "refs/heads/new"))).published is None
    assert only(ranges(clone, line(clone, "HEAD", "refs/tags/main", main))).published is None
    assert only(ranges(clone, line(clone, "HEAD", "refs/heads/main", main))).published == main
    assert only(ranges(clone, line(clone, "HEAD", "refs/heads/main"))).published is None
    assert clone.head == target


def test_going_back_on_the_main_line_is_a_rewrite_too(clone: Clone, bare: Path) -> None:
    first = clone.head
    old_tip = clone.commit({"1.sql": "1"})
    clone.git("push", "-q", "origin", "main")
    clone.git("reset", "-q", "--hard", first)
    found = only(ranges(clone, line(clone, "refs/heads/main", "refs/heads/main", old_tip)))
    assert (found.base, found.target, found.published) == (first, first, old_tip)
    with Repository.find(clone.path) as repository:
        assert [(file.path, file.status) for file in repository.changes(found).files] == [("1.sql", "D")]


def test_a_normal_push_of_the_main_line_replaces_nothing(clone: Clone, bare: Path) -> None:
    old_tip = clone.head
    clone.commit({"1.sql": "1"})
    found = only(ranges(clone, line(clone, "refs/heads/main", "refs/heads/main", old_tip)))
    assert (found.base, found.published) == (old_tip, None)


# Odd repositories


def test_a_shallow_clone_has_a_base(tmp_path: Path, clone: Clone, bare: Path) -> None:
    clone.commit({"0.sql": "0"})
    clone.git("push", "-q", "origin", "main")
    clone.git("clone", "-q", "--depth=1", f"file://{bare}", str(tmp_path / "shallow"))
    shallow = Clone(tmp_path / "shallow")
    base = shallow.head
    shallow.git("checkout", "-q", "-b", "x")
    shallow.commit({"1.sql": "1"})
    assert only(ranges(shallow, line(shallow, "refs/heads/x", "refs/heads/x"))).base == base


def test_a_shallow_clone_without_a_common_commit_brings_everything(
    tmp_path: Path, clone: Clone, bare: Path
) -> None:
    clone.git("checkout", "-q", "-b", "x")
    clone.commit({"1.sql": "1"})
    clone.git("push", "-q", "origin", "x")
    clone.git("checkout", "-q", "main")
    clone.commit({"2.sql": "2"})
    clone.git("push", "-q", "origin", "main")
    clone.git("clone", "-q", "--depth=1", "--no-single-branch", f"file://{bare}", str(tmp_path / "shallow"))
    shallow = Clone(tmp_path / "shallow")
    shallow.git("checkout", "-q", "x")
    assert only(ranges(shallow, line(shallow, "refs/heads/x", "refs/heads/x"))).base is None


def test_a_sha256_repository_has_ranges(tmp_path: Path, git_environ: None) -> None:
    made = Clone.init(tmp_path / "sha256", "--object-format=sha256")
    base = made.commit({"README": "r"})
    made.git("init", "-q", "--bare", "--object-format=sha256", str(tmp_path / "origin.git"))
    made.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    made.git("push", "-q", "origin", "main")
    target = made.commit({"1.sql": "1"})
    lines = [f"(delete) {'0' * 64} refs/heads/x {base}", f"refs/heads/y {target} refs/heads/y {'0' * 64}"]
    found = only(ranges(made, *lines))
    assert (found.base, found.target) == (base, target)


def test_a_usual_push_costs_four_processes(clone: Clone, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """rev-parse, cat-file, merge-base, diff-tree: counted by git's own trace."""
    base = clone.head
    clone.git("remote", "set-head", "origin", "main")
    clone.git("checkout", "-q", "-b", "x")
    clone.commit({"docs.md": "d"})
    update = f"refs/heads/x {clone.head} refs/heads/x {base}"
    trace = clone.path.parent / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    with Repository.find(clone.path) as repository:
        (push,) = resolved(repository, pushes_from({}, remote_name="origin", stdin=[update]))
        assert repository.changes(range_of(repository, push)).added == {"docs.md"}
    started = [text for text in trace.read_text().splitlines() if "trace: built-in: git " in text]
    assert [text.split("built-in: git ")[1].split()[0] for text in started] == [
        "rev-parse", "cat-file", "merge-base", "diff-tree",
    ]  # fmt: skip
