"""Which migrations a push brings: one test for each way to push, by plain git, pre-commit and prek."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.fix_git import Clone
from tests.fix_pushes import MANAGERS, World, install_hooks

ONE, TWO, THREE = (f"migrations/{number}.sql" for number in (1, 2, 3))


def test_a_first_push_brings_everything(unpublished: World) -> None:
    assert unpublished.push("origin", "main").brings(f"new: {ONE}")


def test_a_push_of_the_main_line_brings_what_is_new(world: World) -> None:
    base, target = world.clone.head, world.change("2")
    pushed = world.push("origin", "main")
    assert pushed.brings(f"new: {TWO}")
    assert pushed.ranges == [(base[:12], target[:12], "refs/remotes/origin/main")]


def test_a_push_without_migrations_passes(world: World) -> None:
    world.clone.commit({"README": "words"})
    assert world.push("origin", "main").brings()
    assert world.clone.git("rev-parse", "origin/main") == world.clone.head


def test_a_new_git_branch_brings_what_the_main_line_has_not(world: World) -> None:
    world.branch("x")
    world.change("2")
    world.change("3")
    assert world.push("-u", "origin", "x").brings(f"new: {TWO}", f"new: {THREE}")


def test_an_empty_new_git_branch_passes(world: World) -> None:
    world.branch("x")
    assert world.push("origin", "x").brings()


def test_a_second_push_brings_what_the_first_did(world: World) -> None:
    world.branch("x")
    world.change("2")
    world.clone.git("push", "-q", "--no-verify", "origin", "x")
    world.clone.commit({"README": "words"})
    assert world.push("origin", "x").brings(f"new: {TWO}")


def test_an_amended_git_branch_brings_its_migrations(world: World) -> None:
    world.branch("x")
    world.change("2")
    world.clone.git("push", "-q", "--no-verify", "origin", "x")
    world.change("3", amend=True)
    assert world.push("--force", "origin", "x").brings(f"new: {TWO}", f"new: {THREE}")


def test_an_amended_main_line_brings_what_it_edits(world: World) -> None:
    world.change("2")
    world.clone.git("push", "-q", "--no-verify", "origin", "main")
    world.change("2", text="select 2;\n", amend=True)
    assert f"edited: {TWO}" in world.push("--force", "origin", "main").found


def test_an_old_tip_that_is_unknown_here_changes_nothing(world: World) -> None:
    colleague = world.colleague()
    world.branch("x")
    world.change("2")
    world.clone.git("push", "-q", "--no-verify", "origin", "x")
    colleague.git("fetch", "-q")
    colleague.git("checkout", "-q", "x")
    colleague.commit({"README": "theirs"})
    colleague.git("push", "-q", "origin", "x")
    world.change("3")
    assert world.push("--force", "origin", "x").brings(f"new: {TWO}", f"new: {THREE}")


def test_a_deletion_passes(world: World) -> None:
    world.clone.git("push", "-q", "--no-verify", "origin", "main:x")
    world.change("2")
    assert world.push("origin", ":x").brings()


def test_a_deletion_does_not_hide_an_update(world: World) -> None:
    world.clone.git("push", "-q", "--no-verify", "origin", "main:x")
    world.change("2")
    assert world.push("origin", ":x", "main").brings(f"new: {TWO}")


def test_of_several_refs_each_is_checked_by_plain_git(world: World) -> None:
    """pre-commit and prek start their hooks for the first ref only (pre-commit issue 1940)."""
    world.branch("x")
    world.change("2")
    world.branch("y")
    world.change("3")
    pushed = world.push("origin", "x", "y")
    if world.manager == "git":
        assert pushed.brings(f"new: {TWO}", f"new: {THREE}")
    else:
        assert pushed.brings(f"new: {TWO}")


def test_two_refs_to_one_commit_are_one_check(plain: World) -> None:
    plain.branch("x")
    plain.change("2")
    plain.clone.git("tag", "v1")
    pushed = plain.push("origin", "x", "x:y", "v1")
    assert pushed.brings(f"new: {TWO}")
    assert len(pushed.ranges) == 1


def test_an_annotated_tag_is_the_commit_it_stands_for(world: World) -> None:
    target = world.change("2")
    world.clone.git("tag", "-a", "-m", "v1", "v1")
    pushed = world.push("origin", "v1")
    assert pushed.brings(f"new: {TWO}")
    assert pushed.ranges[0][1] == target[:12]


def test_a_tag_of_what_is_published_passes(world: World) -> None:
    world.clone.git("tag", "-a", "-m", "v1", "v1")
    assert world.push("origin", "v1").brings()


def test_a_tag_of_a_file_passes(plain: World) -> None:
    plain.clone.git("tag", "-a", "-m", "file", "file", f"HEAD:{ONE}")
    assert plain.push("origin", "file").brings()


@pytest.mark.parametrize("source", ["HEAD", "main~0", "@", "sha"])
def test_whatever_names_the_source_works(world: World, source: str) -> None:
    target = world.change("2")
    pushed = world.push("origin", f"{target if source == 'sha' else source}:refs/heads/y")
    assert pushed.brings(f"new: {TWO}")
    assert pushed.ranges[0][1] == target[:12]


def test_a_push_by_url_knows_the_main_line(world: World) -> None:
    world.branch("x")
    world.change("2")
    pushed = world.push(str(world.remote), "x")
    assert pushed.brings(f"new: {TWO}")
    assert pushed.ranges[0][2] == "refs/remotes/origin/main"


def test_merged_work_of_others_is_not_new(world: World) -> None:
    colleague = world.colleague()
    colleague.commit({THREE: "select 3;\n"})
    colleague.git("push", "-q", "origin", "main")
    world.branch("x")
    world.change("2")
    world.clone.git("fetch", "-q")
    world.clone.git("merge", "-q", "-m", "merge", "origin/main")
    assert world.push("origin", "x").brings(f"new: {TWO}")


def test_another_git_branch_than_the_one_checked_out(world: World) -> None:
    world.branch("x")
    target = world.change("2")
    world.branch("y", "main")
    world.change("3")
    pushed = world.push("origin", "x")
    assert pushed.brings(f"new: {TWO}")
    assert pushed.ranges[0][1] == target[:12]


def test_a_first_push_of_a_git_branch_that_is_not_checked_out(unpublished: World) -> None:
    unpublished.branch("x")
    unpublished.change("2")
    unpublished.clone.git("checkout", "-q", "main")
    assert unpublished.push("origin", "x").brings(f"new: {ONE}", f"new: {TWO}")


def test_the_work_tree_is_not_what_is_pushed(world: World) -> None:
    world.change("2")
    world.clone.write({ONE: "edited, not committed\n", THREE: "untracked\n", "staged.sql": "staged\n"})
    world.clone.git("add", "staged.sql")
    assert world.push("origin", "main").brings(f"new: {TWO}")
    assert (world.clone.path / ONE).read_text() == "edited, not committed\n"


def test_an_untracked_migration_passes(world: World) -> None:
    world.clone.commit({"README": "words"})
    world.clone.write({TWO: "select 2;\n"})
    assert world.push("origin", "main").brings()


def test_a_deleted_migration_is_seen(world: World) -> None:
    world.clone.commit({"migrations/2.sql": "select 2;\n"})
    world.clone.git("push", "-q", "--no-verify", "origin", "main")
    world.clone.commit({TWO: None})
    assert world.push("origin", "main").found == [f"deleted: {TWO}"]


def test_an_edited_migration_is_seen(world: World) -> None:
    world.clone.commit({ONE: "create table other (id int);\n"})
    assert world.push("origin", "main").found == [f"edited: {ONE}"]


def test_a_renamed_migration_is_seen(world: World) -> None:
    world.clone.git("mv", ONE, "migrations/1_better_name.sql")
    world.clone.commit({})
    assert f"renamed: {ONE}" in world.push("origin", "main").found


def test_an_orphan_brings_everything(world: World) -> None:
    world.clone.git("checkout", "-q", "--orphan", "o")
    world.change("2")
    assert world.push("origin", "o").brings(f"new: {ONE}", f"new: {TWO}")


def test_a_shallow_clone_pushes(world: World) -> None:
    world.change("2")
    world.clone.git("push", "-q", "--no-verify", "origin", "main")
    world.clone.git("clone", "-q", "--depth=1", f"file://{world.remote}", str(world.path / "shallow"))
    shallow = Clone(world.path / "shallow")
    world.install(shallow)
    shallow.commit({THREE: "select 3;\n"})
    assert world.push("origin", "main", clone=shallow).brings(f"new: {THREE}")


def test_a_linked_worktree_pushes(world: World) -> None:
    linked = Clone(world.path / "a linked\nworktree")
    world.clone.git("worktree", "add", "-q", "-b", "x", str(linked.path))
    if world.manager != "git":
        config = ".pre-commit-config.yaml"
        (linked.path / config).write_bytes((world.clone.path / config).read_bytes())
    linked.commit({TWO: "select 2;\n"})
    assert world.push("origin", "x", clone=linked).brings(f"new: {TWO}")


def test_a_submodule_pushes(world: World) -> None:
    outer = Clone.init(world.path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(world.remote), "sub")
    inner = Clone(outer.path / "sub")
    world.install(inner)
    inner.commit({TWO: "select 2;\n"})
    pushed = world.push("origin", "main", clone=inner)
    assert pushed.brings(f"new: {TWO}")
    assert pushed.ranges[0][2] == "refs/remotes/origin/HEAD"


def test_a_push_from_a_subdirectory(world: World) -> None:
    world.change("2")
    assert world.push("origin", "main", clone=Clone(world.clone.path / "migrations")).brings(f"new: {TWO}")


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_sha256_repository_pushes(tmp_path, push_environ, manager: str) -> None:
    world = World(tmp_path, manager, "--object-format=sha256").publish()
    world.branch("x")
    world.change("2")
    assert world.push("origin", "x").brings(f"new: {TWO}")
    world.clone.git("push", "-q", "--no-verify", "origin", "x")
    if manager != "pre-commit":  # which does not know a zero id of 64 digits, and fails itself
        assert world.push("origin", ":x").brings()


def test_a_dry_run_is_checked_too(world: World) -> None:
    """git runs the hook then, and does not tell it."""
    world.change("2")
    assert world.push("--dry-run", "origin", "main").brings(f"new: {TWO}")


def test_nothing_to_push_passes(world: World) -> None:
    pushed = world.push("origin", "main")
    assert pushed.brings() and pushed.ranges == []


def test_each_push_url_is_a_push_of_its_own(world: World) -> None:
    second = world.path / "second.git"
    world.clone.git("init", "-q", "--bare", "-b", "main", str(second))
    for url in (world.remote, second):
        world.clone.git("remote", "set-url", "--add", "--push", "origin", str(url))
    world.change("2")
    assert world.push("origin", "main").brings(f"new: {TWO}", f"new: {TWO}")


def test_stale_inherited_variables_do_not_hide_a_migration(world: World) -> None:
    stale = {"PRE_COMMIT_FROM_REF": "HEAD", "PRE_COMMIT_TO_REF": world.clone.head, "PRE_COMMIT": "1"}
    if world.manager == "git":
        del stale["PRE_COMMIT"]  # only ever set by a running pre-commit
    world.change("2")
    assert world.push("origin", "main", environ=stale).brings(f"new: {TWO}")


def test_stale_inherited_variables_do_not_hide_a_first_push(unpublished: World) -> None:
    for target in ("HEAD~9", "HEAD"):
        stale = {"PRE_COMMIT_FROM_REF": "HEAD", "PRE_COMMIT_TO_REF": target}
        assert unpublished.push("origin", "main", environ=stale).brings(f"new: {ONE}")


@pytest.mark.parametrize("manager", MANAGERS[1:])
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--all-files",), [f"new: {TWO}", f"new: {THREE}"]),
        (("--from-ref", "HEAD~1", "--to-ref", "HEAD"), [f"new: {TWO}", f"new: {THREE}"]),
        (("--from-ref", "HEAD~2", "--to-ref", "HEAD~1"), [f"new: {TWO}"]),
    ],
)
def test_the_managers_own_run(
    tmp_path, push_environ, manager: str, arguments: tuple[str, ...], expected: list[str]
) -> None:
    world = World(tmp_path, manager).publish()
    world.change("2")
    world.change("3")
    assert world.run("--hook-stage", "pre-push", *arguments).brings(*expected)
    assert world.run("--hook-stage", "manual", *arguments).brings(*expected)


def test_a_closed_output_does_not_let_a_push_through(world: World) -> None:
    world.change("2")
    read, write = os.pipe()
    os.close(read)
    argv = ("git", "push", "--quiet", "origin", "main")
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            argv, cwd=world.clone.path, stdin=subprocess.DEVNULL, stdout=closed, stderr=closed
        )
    assert done.returncode != 0
    assert world.clone.git("ls-remote", "origin", "main").split()[0] == world.clone.git("rev-parse", "HEAD~1")


def test_a_hook_in_another_language_needs_no_working_directory(plain: World) -> None:
    """husky and lefthook start `neon-hooks pre-push` from where they like, with git's variables."""
    plain.change("2")
    hook = plain.clone.path / ".git/hooks/pre-push"
    hook.write_text(hook.read_text().replace("exec ", "cd migrations && exec "))
    assert plain.push("origin", "main").brings(f"new: {TWO}")


@pytest.mark.installs
def test_the_hook_works_as_pre_commit_installs_it(tmp_path, push_environ) -> None:
    """language: python, from a clone of this repository and its manifest, into an environment of its own."""
    world = World(tmp_path, "pre-commit").publish()
    hook = "  - id: neon-validate-migrations\n    args: [--verbose]\n    verbose: true\n"
    install_hooks(world.clone, hook, tmp_path / "neon-hooks")
    world.clone.commit({"README": "words"})
    assert world.push("origin", "main").brings()
    world.change("2")
    assert world.push("origin", "main").brings(f"new: {TWO}")
