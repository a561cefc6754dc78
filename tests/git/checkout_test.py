"""A directory with exactly the tree of a commit, and nothing changed by it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from neon_hooks.errors import NeonHooksError, Unavailable
from neon_hooks.git import Repository
from tests.fix_git import Clone

TOP = Path(__file__).parents[2]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    path = tmp_path / "scratch"
    path.mkdir()
    return path


def state(clone: Clone) -> dict[str, object]:
    """What a checkout must leave alone: work tree, index, refs, stash, configuration, worktrees."""
    files = {
        str(path.relative_to(clone.path)): path.read_bytes()
        for path in sorted(clone.path.rglob("*"))
        if path.is_file() and ".git/objects" not in str(path) and "__pycache__" not in str(path)
    }
    return {**files, "refs": clone.git("for-each-ref"), "worktrees": clone.git("worktree", "list")}


@contextmanager
def unchanged(clone: Clone, scratch: Path) -> Iterator[None]:
    before = state(clone)
    yield
    assert state(clone) == before
    assert list(scratch.iterdir()) == []
    assert not list((clone.path / ".git").glob("worktrees/*"))


def files_of(directory: Path) -> set[str]:
    return {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if not path.is_dir() and ".git" not in path.relative_to(directory).parts
    }


def edit(clone: Clone) -> None:
    clone.write({"README": "edited\n"})


def stage(clone: Clone) -> None:
    clone.write({"README": "edited\n"})
    clone.git("add", "README")


def leave_untracked(clone: Clone) -> None:
    clone.write({"migrations/2.sql": "2"})


def leave_ignored_migration(clone: Clone) -> None:
    clone.write({".git/info/exclude": "*.sql\n", "migrations/2.sql": "2"})


def hide_an_edit(clone: Clone) -> None:
    clone.git("update-index", "--assume-unchanged", "README")
    clone.write({"README": "edited\n"})


def hide_a_file(clone: Clone) -> None:
    clone.git("update-index", "--skip-worktree", "README")
    (clone.path / "README").unlink()


def hide_untracked(clone: Clone) -> None:
    clone.git("config", "status.showUntrackedFiles", "no")
    leave_untracked(clone)


def nothing(clone: Clone) -> None:
    pass


def leave_caches(clone: Clone) -> None:
    clone.write({".git/info/exclude": "__pycache__\n*.pyc\nnode_modules\n"})
    clone.write({"migrations/__pycache__/x.pyc": "x", "node_modules/x/index.js": "x"})


def ignore_elsewhere(clone: Clone) -> None:
    clone.write({".git/info/exclude": "dist\n", "dist/x": "x"})


@pytest.mark.parametrize(
    ("arrange", "in_place"),
    [
        (nothing, True), (leave_caches, True), (ignore_elsewhere, True),
        (edit, False), (stage, False), (leave_untracked, False), (leave_ignored_migration, False),
        (hide_an_edit, False), (hide_a_file, False), (hide_untracked, False),
    ],
)  # fmt: skip
def test_the_work_tree_is_used_only_if_it_is_the_same(
    clone: Clone, repository: Repository, scratch: Path, arrange: Callable[[Clone], None], in_place: bool
) -> None:
    clone.commit({"migrations/1.sql": "1"})
    arrange(clone)
    with unchanged(clone, scratch):
        with repository.checkout(clone.head, roots=[""], dirs=["migrations"], scratch=scratch) as directory:
            assert (directory == clone.path) is in_place
            assert (directory / "README").read_text() == "hello\n"
            assert {path.name for path in (directory / "migrations").glob("*.sql")} == {"1.sql"}


def test_without_dirs_the_roots_must_be_pure(clone: Clone, repository: Repository, scratch: Path) -> None:
    clone.write({".git/info/exclude": "dist\n", "dist/x": "x"})
    with repository.checkout(clone.head, roots=[""], scratch=scratch) as directory:
        assert directory != clone.path
    with repository.checkout(clone.head, roots=["app"], scratch=scratch) as directory:
        assert directory == clone.path


def test_another_commit_with_the_same_tree_is_in_place(
    clone: Clone, repository: Repository, scratch: Path
) -> None:
    target = clone.commit({})
    clone.commit({})
    with repository.checkout(target, roots=[""], scratch=scratch) as directory:
        assert directory == clone.path


def test_migrations_that_change_meanwhile_prove_nothing(
    clone: Clone, repository: Repository, scratch: Path
) -> None:
    target = clone.commit({"migrations/1.sql": "1"})
    for change in ({"README": "a tool's dump"}, {"migrations/1.sql": "edited"}):
        outcome = None
        try:
            with repository.checkout(target, roots=[""], dirs=["migrations"], scratch=scratch):
                clone.write(change)
        except Unavailable as error:
            outcome = error.message
        assert bool(outcome) is ("README" not in change)
        clone.git("checkout", "-q", "--", ".")


def test_any_commit_can_be_checked_out(clone: Clone, repository: Repository, scratch: Path) -> None:
    (clone.path / "run").write_text("#!/bin/sh\n")
    (clone.path / "run").chmod(0o755)
    (clone.path / "link").symlink_to("README")
    clone.write({".gitattributes": "*.crlf eol=crlf\n", "a.crlf": "one\n"})
    target = clone.commit({"sub dir/ünï\ncode.sql": "x"})
    clone.git("checkout", "-q", "HEAD~1")
    with unchanged(clone, scratch):
        with repository.checkout(target, roots=[""], scratch=scratch) as directory:
            assert directory.parent == scratch
            assert files_of(directory) == {
                "README", "run", "link", ".gitattributes", "a.crlf", "sub dir/ünï\ncode.sql",
            }  # fmt: skip
            assert os.access(directory / "run", os.X_OK)
            assert os.readlink(directory / "link") == "README"
            assert (directory / "a.crlf").read_bytes() == b"one\r\n"
            inner = Clone(directory)
            assert inner.head == target
            assert inner.git("status", "--porcelain", "--untracked-files=all") == ""


def test_a_staged_commit_can_be_checked_out(clone: Clone, repository: Repository, scratch: Path) -> None:
    clone.write({"staged.sql": "s", "untracked.sql": "u"})
    clone.git("add", "staged.sql")
    with unchanged(clone, scratch):
        with repository.checkout(repository.staged_commit(), roots=[""], scratch=scratch) as directory:
            assert files_of(directory) == {"README", "staged.sql"}


def test_a_sparse_work_tree_does_not_make_the_checkout_sparse(
    clone: Clone, repository: Repository, scratch: Path
) -> None:
    target = clone.commit({"a/1.sql": "1", "b/2.sql": "2"})
    clone.git("sparse-checkout", "set", "a")
    with unchanged(clone, scratch):
        with repository.checkout(target, roots=[""], scratch=scratch) as directory:
            assert files_of(directory) == {"README", "a/1.sql", "b/2.sql"}


def test_no_hook_of_the_repository_runs(clone: Clone, repository: Repository, scratch: Path) -> None:
    target = clone.commit({"a.sql": "a"})
    clone.git("checkout", "-q", "HEAD~1")
    for name in ("post-checkout", "post-index-change", "reference-transaction"):
        hook = clone.path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch '{clone.path.parent}/ran-{name}'\n")
        hook.chmod(0o755)
    with repository.checkout(target, roots=[""], scratch=scratch):
        pass
    assert not list(clone.path.parent.glob("ran-*"))


def test_dependencies_are_linked_on_the_way_to_each_root(
    clone: Clone, repository: Repository, scratch: Path
) -> None:
    ignored = "node_modules\n.venv\n.env*\n!.env.example\nvendor\ntarget\nconfig/master.key\n"
    clone.write({
        ".gitignore": ignored, ".env.example": "A=tracked\n", "apps/api/app.js": "", "apps/web/app.js": "",
        "rust/Cargo.toml": "", "java/pom.xml": "", "config/app.rb": "",
    })  # fmt: skip
    target = clone.commit({})
    present = (
        "node_modules/x", ".env", "apps/node_modules/x", "apps/api/.venv/x", "apps/api/.env.local",
        "rust/target/x", "config/master.key",
    )  # fmt: skip
    absent = ("apps/web/node_modules/x", "java/target/x")
    clone.write({name: "mine" for name in (*present, *absent)})
    clone.write({"README": "dirty\n"})
    with unchanged(clone, scratch):
        with repository.checkout(target, roots=["apps/api", "rust", "java"], scratch=scratch) as directory:
            assert [name for name in present if not (directory / name).is_file()] == []
            assert [name for name in absent if (directory / name).exists()] == []
            assert (directory / ".env.example").read_text() == "A=tracked\n"
            assert not (directory / ".env.example").is_symlink()


def test_what_the_commit_deletes_or_has_itself_is_not_linked(
    clone: Clone, repository: Repository, scratch: Path
) -> None:
    clone.commit({"vendor/lib.rb": "old", ".env": "old"})
    target = clone.commit({"vendor/lib.rb": None, ".env": "target"})
    clone.git("checkout", "-q", "HEAD~1")
    with repository.checkout(target, roots=[""], scratch=scratch) as directory:
        assert not (directory / "vendor").exists()
        assert (directory / ".env").read_text() == "target"


def test_a_link_of_the_commit_does_not_lead_out_of_the_checkout(
    clone: Clone, repository: Repository, scratch: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (clone.path / "app").symlink_to(outside)
    target = clone.commit({})
    clone.git("rm", "-q", "app")
    clone.write({"app/.env": "secret"})
    with repository.checkout(target, roots=["app"], scratch=scratch):
        assert list(outside.iterdir()) == []


def test_a_failure_inside_removes_the_checkout(clone: Clone, repository: Repository, scratch: Path) -> None:
    edit(clone)
    with unchanged(clone, scratch), pytest.raises(ZeroDivisionError):
        with repository.checkout(clone.head, roots=[""], scratch=scratch) as directory:
            (directory / "new").mkdir()
            (directory / "new" / "file").write_text("left by a tool")
            raise ZeroDivisionError


@pytest.mark.parametrize("damage", ["directory", "git file", "locked"])
def test_a_damaged_checkout_is_removed(
    clone: Clone, repository: Repository, scratch: Path, damage: str
) -> None:
    edit(clone)
    with unchanged(clone, scratch):
        with repository.checkout(clone.head, roots=[""], scratch=scratch) as directory:
            if damage == "directory":
                subprocess.run(("rm", "-rf", str(directory)), check=True)
            elif damage == "git file":
                (directory / ".git").unlink()
            else:
                clone.git("worktree", "lock", str(directory))


def test_a_filter_that_fails_is_said(clone: Clone, repository: Repository, scratch: Path) -> None:
    clone.write({".gitattributes": "*.bin filter=broken\n"})
    target = clone.commit({"a.bin": "a"})
    clone.git("checkout", "-q", "HEAD~1")
    clone.git("config", "filter.broken.smudge", "false")
    clone.git("config", "filter.broken.required", "true")
    with unchanged(clone, scratch), pytest.raises(Unavailable, match="git read-tree failed: .*smudge filter"):
        with repository.checkout(target, roots=[""], scratch=scratch):
            pass


def test_what_a_killed_run_left_is_removed_after_an_hour(
    clone: Clone, repository: Repository, scratch: Path, tmp_path: Path
) -> None:
    edit(clone)
    mine = tmp_path / "mine"
    clone.git("worktree", "add", "-q", "--detach", str(mine))
    left = {name: tmp_path / f"neon-hooks-{name}" for name in ("old", "gone", "young")}
    for path in left.values():
        clone.git("worktree", "add", "-q", "--detach", str(path))
    subprocess.run(("rm", "-rf", str(left["gone"])), check=True)
    for name in ("old", "gone"):
        os.utime(clone.path / f".git/worktrees/neon-hooks-{name}/gitdir", (time.time() - 7200,) * 2)
    os.utime(clone.path / ".git/worktrees/mine/gitdir", (time.time() - 7200,) * 2)
    with repository.checkout(clone.head, roots=[""], scratch=scratch):
        pass
    assert {path.name for path in (clone.path / ".git/worktrees").iterdir()} == {"mine", "neon-hooks-young"}
    assert not left["old"].exists() and left["young"].exists() and mine.exists()


def test_concurrent_checkouts_do_not_disturb_each_other(clone: Clone, scratch: Path) -> None:
    first, second = clone.head, clone.commit({"a.sql": "a"})
    edit(clone)
    errors: list[BaseException] = []

    def run(commit: str, expected: set[str]) -> None:
        try:
            with Repository.find(clone.path) as repository:
                for _ in range(6):
                    with repository.checkout(commit, roots=[""], scratch=scratch) as directory:
                        assert files_of(directory) == expected
        except BaseException as error:
            errors.append(error)

    with unchanged(clone, scratch):
        wanted = [(first, {"README"}), (second, {"README", "a.sql"})] * 2
        threads = [threading.Thread(target=run, args=arguments) for arguments in wanted]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["making it", "using it"])
def test_a_signal_removes_the_checkout(clone: Clone, scratch: Path, signum: int, when: str) -> None:
    if when == "making it":
        clone.write({".gitattributes": "*.slow filter=slow\n", "a.slow": "a"})
        clone.write({"../hold": ""})
        slow = "touch '{0}/ready'; while test -e '{0}/hold'; do sleep 0.1; done; cat"
        clone.git("config", "filter.slow.smudge", slow.format(scratch.parent))
    target = clone.commit({})
    clone.git("checkout", "-q", "HEAD~1")
    script = (
        "import sys, time; from pathlib import Path; from neon_hooks.git import Repository\n"
        "from neon_hooks.lifetime import interruptible; from neon_hooks.deadline import Deadline\n"
        "from neon_hooks.errors import Interrupted\n"
        "top, target, scratch = sys.argv[1:]\n"
        "try:\n"
        "    with interruptible(Deadline.after(60)), Repository.find(Path(top)) as repository:\n"
        "        with repository.checkout(target, roots=[''], scratch=Path(scratch)):\n"
        "            Path(scratch).parent.joinpath('ready').touch()\n"
        "            time.sleep(20)\n"
        "except Interrupted: sys.exit(130)"
    )
    argv = (sys.executable, "-c", script, str(clone.path), target, str(scratch))
    environ = {**os.environ, "PYTHONPATH": str(TOP)}
    with unchanged(clone, scratch), subprocess.Popen(argv, env=environ) as process:
        until = time.monotonic() + 20
        while not (scratch.parent / "ready").exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signum)
        try:
            assert process.wait(10) == 130
        finally:
            (scratch.parent / "hold").unlink(missing_ok=True)


def test_the_index_that_a_hook_was_told_about_stays_alone(
    clone: Clone, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = clone.commit({"a.sql": "a"})
    clone.git("checkout", "-q", "HEAD~1")
    other = clone.path / ".git/other-index"
    other.write_bytes((clone.path / ".git/index").read_bytes())
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/other-index")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_PREFIX", "sub/")
    monkeypatch.chdir(clone.path)
    before = other.read_bytes(), (clone.path / ".git/index").read_bytes()
    with Repository.find() as repository:
        with repository.checkout(target, roots=[""], scratch=scratch) as directory:
            assert files_of(directory) == {"README", "a.sql"}
    assert (other.read_bytes(), (clone.path / ".git/index").read_bytes()) == before


@pytest.mark.parametrize("place", ["linked worktree", "submodule", "odd path"])
def test_it_works_from(tmp_path: Path, clone: Clone, scratch: Path, place: str) -> None:
    target = clone.commit({"a.sql": "a"})
    where = Clone(tmp_path / "other" / "sub")
    if place == "linked worktree":
        clone.git("worktree", "add", "-q", "--detach", str(where.path), "HEAD~1")
    elif place == "submodule":
        outer = Clone.init(tmp_path / "other")
        outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(clone.path), "sub")
        where.git("checkout", "-q", "HEAD~1")
    else:
        where = clone.clone_to(tmp_path / "ü b\nc")
        where.git("checkout", "-q", "HEAD~1")
        scratch = tmp_path / "scr atch\nü"
        scratch.mkdir()
    status = where.git("status", "--porcelain")
    where.write({".git/info/exclude" if place == "odd path" else "node_modules/x": "node_modules\n"})
    where.write({"node_modules/x": "x"})
    with Repository.find(where.path) as repository:
        with repository.checkout(target, roots=[""], scratch=scratch) as directory:
            assert (directory / "a.sql").read_text() == "a"
            assert (directory / "node_modules/x").read_text() == "x"
        assert repository.commit("HEAD") != target
    assert list(scratch.iterdir()) == []
    assert (where.path / "node_modules/x").exists()
    assert where.git("status", "--porcelain").replace("?? node_modules/", "") == status


def test_a_scratch_that_is_not_there_is_said(clone: Clone, repository: Repository, tmp_path: Path) -> None:
    edit(clone)
    with pytest.raises((NeonHooksError, FileNotFoundError)):
        with repository.checkout(clone.head, roots=[""], scratch=tmp_path / "missing"):
            pass
