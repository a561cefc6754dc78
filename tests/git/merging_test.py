"""What git would merge, made beside the user's work tree and index; and which git branches add which files."""

from __future__ import annotations

from pathlib import Path

import pytest

from neon_hooks import merging
from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.git import Repository
from tests.fix_git import Clone


def branches(path: Path, one: dict[str, str | None], other: dict[str, str | None], *options: str) -> Clone:
    clone = Clone.init(path, *options)
    clone.commit({"a": "1\n", "b": "1\n"})
    for name, files in (("one", one), ("other", other)):
        clone.git("checkout", "-q", "-b", name, "main")
        clone.commit(files)
    clone.git("checkout", "-q", "main")
    return clone


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)], ids=["sha1", "sha256"])
def test_both_sides_are_there_and_nothing_else_has_changed(tmp_path: Path, git_environ: None, options: tuple[str, ...]) -> None:
    clone = branches(tmp_path / "clone", {"c": "one\n", "a": None}, {"d": "other\n", "b": "2\n"}, *options)
    clone.write({"dirty": "x"})
    before = clone.git("status", "--porcelain"), clone.git("for-each-ref"), clone.git("ls-files", "--stage")
    with Repository.find(clone.path) as repository:
        one, other = repository.commit("one"), repository.commit("other")
        merge = repository.merged(one, other)
        assert (sorted(repository.tree(merge.commit).oids), merge.conflicts) == (["b", "c", "d"], ())
        assert repository.content(f"{merge.commit}:b") == b"2\n"
        assert repository.merged(one, other) == merge  # the same commit each time
        assert repository.merge_base(merge.commit, one) == one and repository.merge_base(merge.commit, other) == other
    assert (clone.git("status", "--porcelain"), clone.git("for-each-ref"), clone.git("ls-files", "--stage")) == before


def test_one_that_has_the_other_already_is_the_merge(tmp_path: Path, git_environ: None) -> None:
    clone = branches(tmp_path / "clone", {"c": "1\n"}, {"d": "1\n"})
    with Repository.find(clone.path) as repository:
        main, one = repository.commit("main"), repository.commit("one")
        assert repository.merged(main, one).commit == repository.merged(one, main).commit == one


def test_what_has_nothing_in_common_is_refused(tmp_path: Path, git_environ: None) -> None:
    """As in a shallow clone."""
    clone = branches(tmp_path / "clone", {"c": "1\n"}, {"d": "1\n"})
    clone.git("checkout", "-q", "--orphan", "alone")
    clone.commit({"e": "1\n"})
    with Repository.find(clone.path) as repository, pytest.raises(UsageError, match="no commit in common"):
        repository.merged(repository.commit("one"), repository.commit("alone"))


def test_paths_in_conflict_are_named_whatever_they_are_called(tmp_path: Path, git_environ: None) -> None:
    files = {"a": "{}\n", "gr\u00fc\u00df\n": "{}\n"}
    clone = branches(
        tmp_path / "clone", {k: v.format(1) + "one\n" for k, v in files.items()}, {k: v.format(2) + "two\n" for k, v in files.items()}
    )
    with Repository.find(clone.path) as repository:
        merge = repository.merged(repository.commit("one"), repository.commit("other"))
    assert merge.conflicts == ("a", "gr\u00fc\u00df\n")


def test_a_git_that_is_too_old_and_one_that_fails_are_told_apart() -> None:
    with pytest.raises(UsageError, match="git 2.38 or newer"):
        merging.read(129, "", "error: unknown option `write-tree'")
    with pytest.raises(Unavailable, match="git merge-tree failed: fatal: no"):
        merging.read(128, "", "fatal: no\n")


def test_what_other_git_branches_add_and_nobody_else_has(tmp_path: Path, git_environ: None) -> None:
    clone = branches(tmp_path / "clone", {"m/1.sql": "1\n", "app": "1\n"}, {"m/2.sql": "1\n", "a": "2\n"})
    for name in ("main", "one", "other"):
        clone.git("update-ref", f"refs/remotes/origin/{name}", name)
    clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    with Repository.find(clone.path) as repository:
        refs = repository.recent_remote_refs(10)
        assert sorted(ref.name for ref in refs) == [f"refs/remotes/origin/{name}" for name in ("main", "one", "other")]
        assert len(repository.recent_remote_refs(1)) == 1
        without = [repository.commit("main"), repository.commit("one")]
        added = repository.added_by(refs, without, ["m"], since=1_000_000_000, most=10)
        assert added == {"refs/remotes/origin/other": ["m/2.sql"]}
        clone.git("checkout", "-q", "other")
        clone.git("commit", "-q", "--amend", "--no-edit", environ={"GIT_COMMITTER_DATE": "1600000000 +0000"})
        clone.git("update-ref", "refs/remotes/origin/other", "other")
        refs = repository.recent_remote_refs(10)
        assert repository.added_by(refs, without, ["m"], since=1_700_000_000, most=10) == {}
