"""Trees, differences, the index as a commit, and where the repository is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from neon_hooks.changes import Range
from neon_hooks.errors import Interrupted, Unavailable, UsageError
from neon_hooks.git import Repository
from neon_hooks.objects import Objects
from tests.fix_git import Clone

ODD_NAMES = ["with space", "ünïcode", "new\nline", 'quo"te', "tab\there", "-dash", "back\\slash"]


def statuses(
    repository: Repository, base: str | None, target: str, published: str | None = None
) -> dict[str, str]:
    changes = repository.changes(Range(base, target, "test", published=published))
    return {file.path: file.status for file in changes.files}


def test_a_tree_lists_regular_files_and_reads_them(clone: Clone, repository: Repository) -> None:
    (clone.path / "link").symlink_to("README")
    clone.commit({"a/b.sql": "select 1;\n", "a/run.sh": "exit\n"})
    (clone.path / "a/run.sh").chmod(0o755)
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{clone.head},submodule")
    clone.git("commit", "-qam", "a submodule and a mode")
    tree = repository.tree(clone.head)
    assert tree.paths == ["README", "a/b.sql", "a/run.sh"]
    assert tree.text("a/b.sql") == "select 1;\n"
    assert tree.text("README") == "hello\n"
    assert tree.text("link") == ""


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_file_name_works(clone: Clone, repository: Repository, name: str) -> None:
    base, path = clone.head, f"{name}/{name}.sql"
    target = clone.commit({path: "x"})
    assert statuses(repository, base, target) == {path: "A"}
    assert repository.tree(target).text(path) == "x"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_repository_may_lie_anywhere(tmp_path: Path, git_environ: None, name: str) -> None:
    made = Clone.init(tmp_path / name)
    target = made.commit({"a.sql": "x"})
    with Repository.find(made.path) as repository:
        assert repository.top == made.path
        assert repository.git_dir == made.path / ".git"
        assert repository.commit("HEAD") == target


def test_a_name_that_is_no_utf8_works(clone: Clone, repository: Repository) -> None:
    base, path = clone.head, os.fsdecode(b"\xff.sql")
    (clone.path / path).write_text("x")
    target = clone.commit({})
    assert statuses(repository, base, target) == {path: "A"}
    assert repository.tree(target).text(path) == "x"


def test_large_and_empty_contents_are_read_whole(clone: Clone, repository: Repository) -> None:
    files = {"big": "x" * 3_000_000, "empty": "", "no newline": "a\n\nb"}
    clone.commit(dict(files))
    tree = repository.tree(clone.head)
    assert {name: tree.text(name) for name in files} == files


def test_differences_are_added_modified_deleted_and_a_rename_is_two(
    clone: Clone, repository: Repository
) -> None:
    base = clone.commit({"a.sql": "a", "b.sql": "b", "c.sql": "text that git would match\n" * 9})
    clone.git("mv", "c.sql", "d.sql")
    target = clone.commit({"a.sql": None, "b.sql": "B", "e.sql": "e"})
    assert statuses(repository, base, target) == {
        "a.sql": "D", "b.sql": "M", "c.sql": "D", "d.sql": "A", "e.sql": "A",
    }  # fmt: skip
    assert statuses(repository, target, target) == {}


def test_without_a_base_everything_is_added(clone: Clone, repository: Repository) -> None:
    target = clone.commit({"a.sql": "a"})
    assert statuses(repository, None, target) == {"README": "A", "a.sql": "A"}


def test_a_rewritten_main_line_shows_what_it_edits_and_deletes(clone: Clone, repository: Repository) -> None:
    base = clone.head
    published = clone.commit({"1.sql": "one", "2.sql": "two"})
    target = clone.commit({"1.sql": "ONE", "2.sql": None, "3.sql": "three"}, amend=True)
    changes = repository.changes(Range(base, target, "test", published=published))
    assert changes.added == {"1.sql", "3.sql"}
    assert changes.gone_or_edited == {"1.sql", "2.sql"}


def test_configuration_does_not_change_the_difference(clone: Clone, repository: Repository) -> None:
    base = clone.commit({"sub/a.sql": "text that stays the same\n" * 20})
    clone.git("mv", "sub/a.sql", "b.sql")
    target = clone.commit({})
    for key, value in (("diff.renames", "copies"), ("diff.noprefix", "true"), ("diff.relative", "true"),
                       ("diff.external", "false"), ("core.quotePath", "true"), ("core.abbrev", "7")):
        clone.git("config", key, value)  # fmt: skip
    assert statuses(repository, base, target) == {"sub/a.sql": "D", "b.sql": "A"}


def test_an_unknown_ref_is_named(repository: Repository) -> None:
    for ref in ("no-such-ref", "--all", "HEAD\nHEAD", "0" * 40, ""):
        with pytest.raises(UsageError, match="is not a commit"):
            repository.commit(ref)
    assert repository.commit("HEAD~0") == repository.commit("HEAD")


def test_a_tag_is_peeled_and_a_tag_of_a_file_is_no_commit(clone: Clone, repository: Repository) -> None:
    clone.git("tag", "-a", "-m", "v1", "v1")
    clone.git("tag", "-a", "-m", "v2", "v2", "v1")
    clone.git("tag", "blob", "HEAD:README")
    assert repository.resolve("v2") == clone.head
    assert repository.resolve("blob") is None
    assert repository.exists("blob")
    assert not repository.exists("no-such-ref")


def test_replaced_objects_are_not_what_is_pushed(clone: Clone, repository: Repository) -> None:
    original = clone.commit({"a.sql": "original"})
    other = clone.commit({"a.sql": "replacement"}, amend=True)
    clone.git("replace", original, other)
    assert repository.tree(original).text("a.sql") == "original"


def test_a_question_still_has_an_answer_after_git_was_killed(clone: Clone, repository: Repository) -> None:
    assert repository.commit("HEAD") == clone.head
    process = repository._objects._process
    assert process is not None
    process.kill()
    process.wait()
    assert repository.commit("HEAD") == clone.head


def test_an_interrupted_answer_is_not_taken_for_the_next_one(clone: Clone) -> None:
    """The first process answers half and then waits; a signal ends the waiting."""
    half = f"read name; printf '%s blob 9\\nhalf' {'1' * 40}; exec sleep 30"
    argvs = [["sh", "-c", half], ["git", "cat-file", "--batch"]]
    pipe = subprocess.PIPE

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(argvs.pop(0), stdin=pipe, stdout=pipe, cwd=clone.path)

    def on_alarm(signum: int, frame: object) -> None:
        raise Interrupted(signum)

    objects = Objects(start)
    previous = signal.signal(signal.SIGALRM, on_alarm)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(Interrupted):
            objects.find("HEAD:README")
        found = objects.find("HEAD:README")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        objects.close()
    assert found is not None and found.content == b"hello\n"


def test_a_git_that_keeps_dying_is_said(clone: Clone) -> None:
    pipe = subprocess.PIPE
    objects = Objects(lambda: subprocess.Popen(["true"], stdin=pipe, stdout=pipe))
    with pytest.raises(Unavailable, match="ended before it answered"):
        objects.find("HEAD")


def test_a_partial_clone_fetches_what_it_reads(clone: Clone, tmp_path: Path) -> None:
    clone.git("config", "uploadpack.allowFilter", "true")
    partial, options = tmp_path / "partial", ("--filter=blob:none", "--no-checkout")
    clone.git("clone", "-q", *options, f"file://{clone.path}", str(partial))
    with Repository.find(partial) as repository:
        assert repository.tree("HEAD").text("README") == "hello\n"
        assert repository.resolve("1" * 40) is None


def test_a_file_whose_contents_are_lost_is_said(clone: Clone, repository: Repository) -> None:
    oid = clone.git("rev-parse", "HEAD:README")
    (clone.path / ".git/objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(Unavailable, match="README: git has lost its contents"):
        repository.tree("HEAD").text("README")


def test_closing_leaves_no_process(clone: Clone) -> None:
    repository = Repository.find(clone.path)
    repository.commit("HEAD")
    process = repository._objects._process
    repository.close()
    assert process is not None and process.poll() is not None


def test_a_commit_is_described_by_the_git_branch_it_is_on(clone: Clone, repository: Repository) -> None:
    first = clone.head
    clone.git("checkout", "-q", "-b", "feature/x")
    assert repository.describe(clone.commit({"a": "a"})) == "feature/x"
    assert repository.describe(first) == "main"
    clone.git("checkout", "-q", "--detach")
    assert repository.describe(clone.commit({"b": "b"})) == clone.head[:12]


@pytest.mark.parametrize("sub", ["", "some/where", ".git/hooks"])
def test_outside_of_a_work_tree_is_an_error(tmp_path: Path, git_environ: None, sub: str) -> None:
    place = tmp_path / "place"
    if sub.startswith(".git"):
        Clone.init(place)
    (place / sub).mkdir(parents=True, exist_ok=True)
    with pytest.raises(UsageError, match="not in a git work tree"):
        Repository.find(place / sub)


def test_a_bare_repository_and_a_missing_directory_are_errors(tmp_path: Path, clone: Clone) -> None:
    clone.with_bare_remote(tmp_path / "bare.git")
    with pytest.raises(UsageError, match="not in a git work tree"):
        Repository.find(tmp_path / "bare.git")
    with pytest.raises(UsageError, match="is not a directory"):
        Repository.find(tmp_path / "missing")


def test_without_git_the_error_says_so(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(clone.path))
    with pytest.raises(UsageError, match="git cannot be started"):
        Repository.find(clone.path)


def test_a_subdirectory_finds_the_top(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.commit({"a/b/c": "c"})
    monkeypatch.chdir(clone.path / "a" / "b")
    with Repository.find() as repository:
        assert repository.top == clone.path
        assert repository.tree("HEAD").paths == ["README", "a/b/c"]


def test_a_linked_worktree_is_found_with_git_dir_exported(
    tmp_path: Path, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = Clone(tmp_path / "linked")
    clone.git("worktree", "add", "-q", "-b", "other", str(linked.path))
    target = linked.commit({"sub/a.sql": "a"})
    git_dir = linked.git("rev-parse", "--absolute-git-dir")
    monkeypatch.setenv("GIT_DIR", git_dir)
    for cwd in (linked.path, linked.path / "sub"):
        monkeypatch.chdir(cwd)
        with Repository.find() as repository:
            assert (repository.top, str(repository.git_dir)) == (linked.path, git_dir)
            assert repository.commit("HEAD") == target


def test_a_git_dir_elsewhere_is_honoured(
    tmp_path: Path, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("GIT_DIR", str(clone.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(work))
    monkeypatch.chdir(work)
    with Repository.find() as repository:
        assert (repository.top, repository.git_dir) == (work, clone.path / ".git")
        assert repository.commit("HEAD") == clone.head


def test_a_submodule_is_its_own_repository(
    tmp_path: Path, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = Clone.init(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(clone.path), "sub")
    outer.commit({})
    sub = Clone(outer.path / "sub")
    monkeypatch.chdir(sub.path)
    monkeypatch.setenv("GIT_DIR", sub.git("rev-parse", "--absolute-git-dir"))
    with Repository.find() as repository:
        assert repository.top == sub.path
        assert repository.commit("HEAD") == clone.head
        assert repository.tree("HEAD").paths == ["README"]
    monkeypatch.delenv("GIT_DIR")
    with Repository.find(outer.path) as repository:
        assert repository.tree("HEAD").paths == [".gitmodules"]


def test_a_sha256_repository_works(tmp_path: Path, git_environ: None) -> None:
    made = Clone.init(tmp_path / "sha256", "--object-format=sha256")
    target = made.commit({"a.sql": "a"})
    with Repository.find(made.path) as repository:
        assert len(repository.commit("HEAD")) == 64
        assert statuses(repository, None, target) == {"a.sql": "A"}
        assert repository.tree(target).text("a.sql") == "a"


# The index as a commit


def test_the_index_becomes_a_commit_on_head(clone: Clone, repository: Repository) -> None:
    clone.write({"staged.sql": "s", "untracked.sql": "u", "README": "edited\n"})
    clone.git("add", "staged.sql")
    before = (clone.path / ".git/index").read_bytes()
    staged = repository.staged_commit()
    assert repository.tree(staged).text("staged.sql") == "s"
    assert repository.tree(staged).text("README") == "hello\n"
    assert "untracked.sql" not in repository.tree(staged)
    assert clone.git("rev-parse", f"{staged}^") == clone.head
    assert repository.staged_commit() == staged
    assert (clone.path / ".git/index").read_bytes() == before


@pytest.mark.parametrize("arguments", [("-a",), ("a.sql",), ("--include", "a.sql"), ()])
def test_the_index_that_git_commit_uses_is_honoured(clone: Clone, arguments: tuple[str, ...]) -> None:
    clone.commit({"a.sql": "old", "b.sql": "old"})
    clone.write({"a.sql": "new", "b.sql": "new"})
    clone.git("add", *([] if arguments else ["a.sql"]), "--", *([] if arguments else ["b.sql"]))
    hook = clone.path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!{sys.executable}\n"
        "import pathlib\n"
        "from neon_hooks.git import Repository\n"
        "repository = Repository.find()\n"
        "commit = repository.staged_commit()\n"
        "repository.close()\n"
        "pathlib.Path('.git/seen').write_text(commit)\n"
    )
    hook.chmod(0o755)
    clone.git("commit", "-q", "-m", "x", *arguments, environ={"PYTHONPATH": str(Path(__file__).parents[2])})
    seen = (clone.path / ".git/seen").read_text()
    assert clone.git("rev-parse", f"{seen}^{{tree}}") == clone.git("rev-parse", "HEAD^{tree}")


def test_an_unborn_head_has_an_index(tmp_path: Path, git_environ: None) -> None:
    made = Clone.init(tmp_path / "unborn")
    with Repository.find(made.path) as repository:
        assert repository.resolve("HEAD") is None
        with pytest.raises(UsageError, match="the index is empty"):
            repository.staged_commit()
        made.write({"a.sql": "a"})
        made.git("add", "a.sql")
        assert repository.tree(repository.staged_commit()).paths == ["a.sql"]


def test_an_unmerged_index_is_an_error(clone: Clone, repository: Repository) -> None:
    clone.git("checkout", "-q", "-b", "side")
    clone.commit({"README": "side\n"})
    clone.git("checkout", "-q", "main")
    clone.commit({"README": "main\n"})
    assert clone.attempt("merge", "side").returncode
    with pytest.raises(UsageError, match="README: unmerged"):
        repository.staged_commit()


def test_a_lock_that_somebody_else_holds_does_not_matter(clone: Clone, repository: Repository) -> None:
    (clone.path / ".git/index.lock").touch()
    assert repository.tree(repository.staged_commit()).paths == ["README"]


def test_questions_load_neither_gitpython_nor_asyncio(clone: Clone) -> None:
    script = (
        "import sys; from pathlib import Path; from neon_hooks.git import Repository\n"
        "from neon_hooks.push import pushes_from; from neon_hooks.ranges import range_of, resolved\n"
        "repository = Repository.find(Path(sys.argv[1]))\n"
        "range = range_of(repository, *resolved(repository, pushes_from({})))\n"
        "assert repository.changes(range).files; repository.tree(range.target); repository.close()\n"
        "print({'git', 'asyncio', 'shutil', 'tempfile'} & set(sys.modules))"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        (sys.executable, "-c", script, str(clone.path)),
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"
