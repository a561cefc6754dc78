"""The repository: refs, trees, differences. The only importer of GitPython.

Questions go to git's plumbing directly, with NUL-separated output: GitPython costs 70 ms to import, and a
push without migrations must not pay for it. What happens only when there is work (a commit of the
index, a worktree) goes through GitPython. Nothing here knows what a migration is.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from neon_hooks import merging, remotes
from neon_hooks.changes import Changes, FileChange, Range, parse_raw_diff
from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.merging import Merge
from neon_hooks.objects import Objects
from neon_hooks.plumbing import ask, command, discover, environment, failed
from neon_hooks.remotes import RemoteRef
from neon_hooks.tree import Tree

EMPTY_TREES = {  # by the length of an id: SHA-1, SHA-256
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
IDENTITY = {  # fixed, date included: the same index is always the same commit
    f"GIT_{who}_{key}": value
    for who in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "neon-hooks"), ("EMAIL", "neon-hooks@localhost"), ("DATE", "@0 +0000"))
}


class Repository:
    """One work tree and the objects behind it. ``close`` ends the one process that is kept."""

    def __init__(self, top: Path, git_dir: Path, environ: Mapping[str, str]) -> None:
        self.top = top
        self.git_dir = git_dir
        index = environ.get("GIT_INDEX_FILE")
        # git gives hooks one that is relative to the top, where it also starts them (githooks(5)).
        self._index = top / index if index else git_dir / "index"
        self._environ = environment(environ, top, git_dir)
        self._objects = Objects(self._start_cat_file)
        self._trees: dict[str, Tree] = {}

    @classmethod
    def find(cls, start: Path | None = None) -> Repository:
        """The repository of the work tree around ``start``; without it, the one a hook was started for.

        Raises UsageError outside of a work tree, in a bare repository, and without git.
        """
        environ = dict(os.environ)
        clean = {key: value for key, value in environ.items() if key not in ("GIT_DIR", "GIT_WORK_TREE")}
        if start is not None:
            clean.pop("GIT_INDEX_FILE", None)
            return cls(*discover(start, clean), clean)
        if clean == environ:
            return cls(*discover(None, clean), clean)
        top, git_dir = discover(None, environ)
        try:
            # With GIT_DIR alone git takes the current directory for the top, which is wrong further down.
            real_top, real_git_dir = discover(None, clean)
        except UsageError:
            return cls(top, git_dir, environ)
        return cls(real_top if real_git_dir == git_dir else top, git_dir, environ)

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._objects.close()

    def resolve(self, name: str) -> str | None:
        """The full id of the commit that ``name`` stands for, tags peeled; None if there is none."""
        found = self._objects.find(f"{name}^{{commit}}") if name else None
        return found.oid if found else None

    def exists(self, name: str) -> bool:
        """Whether ``name`` stands for any object: a tag of a blob exists, but is no commit."""
        return self._objects.find(name) is not None

    def commit(self, ref: str) -> str:
        """The full id of the commit that ``ref`` stands for. Raises UsageError that names it."""
        commit = self.resolve(ref)
        if commit is None:
            raise UsageError(f"{ref} is not a commit of this repository", fix="check its spelling, or fetch")
        return commit

    def tree_of(self, commit: str) -> str:
        """The id of a commit's tree, "" if there is no such commit."""
        found = self._objects.find(f"{commit}^{{commit}}")
        return found.content.partition(b"\n")[0].removeprefix(b"tree ").decode() if found else ""

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor of two commits; None if there is none, or a shallow clone lacks it."""
        return one if one == other else self._answer("merge-base", one, other) or None

    def remotes(self) -> dict[str, frozenset[str]]:
        """Each remote with the URLs that git uses for it, after insteadOf."""
        found: dict[str, set[str]] = {}
        for line in self._plumb("remote", "-v").splitlines():
            name, _, url = line.partition("\t")
            found.setdefault(name, set()).add(url.rpartition(" (")[0])
        return {name: frozenset(urls) for name, urls in found.items()}

    def default_git_ref(self) -> str:
        """The setting init.defaultBranch, "" if there is none."""
        return self._answer("config", "--get", "init.defaultBranch")

    def symbolic_target(self, ref: str) -> str:
        """The ref that a symbolic ref such as refs/remotes/origin/HEAD points to, "" if it is none."""
        return self._answer("symbolic-ref", "--quiet", ref)

    def describe(self, commit: str) -> str:
        """A name for people: the current git branch if it is there, else one that is, else the short id."""
        name = self.symbolic_target("HEAD") if self.resolve("HEAD") == commit else ""
        if not name:
            one = ("--count=1", "--format=%(refname)")
            name = self._answer("for-each-ref", *one, f"--points-at={commit}", "refs/heads")
        return name.removeprefix("refs/heads/") or commit[:12]

    def tree(self, commit: str) -> Tree:
        """The regular files of ``commit``, listed once. Contents are read when they are asked for.

        Raises UsageError if there is no such commit.
        """
        commit = self.commit(commit)
        if commit not in self._trees:
            self._trees[commit] = self._list(commit)
        return self._trees[commit]

    def _list(self, commit: str) -> Tree:
        oids = {}
        for entry in self._plumb("ls-tree", "-r", "-z", "--full-tree", commit).split("\0"):
            if entry.startswith("100"):  # 120000 is a symbolic link, 160000 a submodule
                meta, _, path = entry.partition("\t")
                oids[path] = meta.rpartition(" ")[2]
        return Tree(oids, lambda path: self._blob(oids[path], path))

    def content(self, name: str) -> bytes:
        """The contents of one blob, by its id or as ``commit:path``; b"" if there is none."""
        found = self._objects.find(name)
        return found.content if found and found.kind == "blob" else b""

    def _blob(self, oid: str, path: str) -> bytes:
        found = self._objects.find(oid)
        if found is None:
            raise Unavailable(f"{path}: git has lost its contents", fix="run `git fsck`, or fetch again")
        return found.content

    def changes(self, range: Range) -> Changes:
        """What differs between base and target; for a rewritten main line also what it edits or deletes."""
        base = range.base or EMPTY_TREES[len(range.target)]
        files = {(file.path, file.status): file for file in self._diff(base, range.target)}
        if range.published:
            for file in self._diff(range.published, range.target):
                if file.status != "A":
                    files.setdefault((file.path, file.status), file)
        return Changes(range, tuple(files.values()))

    def _diff(self, base: str, target: str) -> tuple[FileChange, ...]:
        if base == target:
            return ()
        options = ("-r", "--raw", "-z", "--no-renames", "--no-ext-diff", "--no-relative", "--no-abbrev")
        return parse_raw_diff(self._plumb("diff-tree", *options, base, target))

    def staged(self, base: str | None) -> tuple[FileChange, ...]:
        """What differs between the commit ``base`` (None: nothing at all) and the index. Nothing is written."""
        options = ("--cached", "--raw", "-z", "--no-renames", "--no-ext-diff", "--no-relative", "--no-abbrev")
        if base is None:
            name = self._plumb("rev-parse", "--show-object-format").strip()
            base = EMPTY_TREES[64 if name == "sha256" else 40]
        return parse_raw_diff(self._plumb("diff-index", *options, base, "--", index=self._index))

    def index(self) -> Tree:
        """The regular files of the index, without those that are in conflict."""
        oids = {}
        for entry in self._plumb("ls-files", "--stage", "-z", index=self._index).split("\0"):
            meta, _, path = entry.partition("\t")
            if entry.startswith("100") and meta.endswith(" 0"):
                oids[path] = meta.split(" ")[1]
        return Tree(oids, lambda path: self._blob(oids[path], path))

    def work_tree(self) -> Tree:
        """The regular files on the disk that git knows or would add, as they are now."""
        listed = self._plumb("ls-files", "--cached", "--others", "--exclude-standard", "--full-name", "-z").split("\0")
        there = {path for path in listed if path and (self.top / path).is_file() and not (self.top / path).is_symlink()}
        return Tree({path: f"file:{path}" for path in there}, lambda path: (self.top / path).read_bytes())

    def staged_commit(self) -> str:
        """The index as a commit on HEAD that no ref points to. Raises UsageError if it is unmerged or empty.

        GIT_INDEX_FILE is honoured: for `git commit -a` and `git commit PATH` it is not .git/index.
        """
        from shutil import copyfile
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="neon-hooks-") as scratch:
            copy = Path(scratch, "index")  # write-tree locks the index and writes its cache of trees into it
            if self._index.is_file():
                copyfile(self._index, copy)
            return self._commit_index({"GIT_INDEX_FILE": str(copy), **IDENTITY})

    def _commit_index(self, environ: Mapping[str, str]) -> str:
        try:
            tree = self._write("write-tree", environ=environ)
        except Unavailable as error:
            reason = f"the index cannot be committed: {error.message}"
            raise UsageError(reason, fix="resolve the conflicts and stage the result") from None
        if tree in EMPTY_TREES.values():
            raise UsageError("the index is empty", fix="stage the migrations with `git add`")
        head = self.resolve("HEAD")
        parents = ("-p", head) if head else ()
        return self._write("commit-tree", *parents, "-m", "the index", tree, environ=environ)

    def merged(self, one: str, other: str) -> Merge:
        """Both commits together, as a commit that no ref points to; one of them where it has the other already.

        Raises UsageError where they have no common history or git is too old, and Unavailable where it cannot tell.
        """
        base = self.merge_base(one, other)
        if base is None:
            raise UsageError(
                f"{one[:12]} and {other[:12]} have no commit in common, so git cannot merge them",
                fix="fetch their whole history: git fetch --unshallow",
            )
        if base in (one, other):
            return Merge(other if base == one else one)
        status, output, complaint = ask(command(*merging.ARGUMENTS, one, other), cwd=self.top, environ=self._environ)
        tree, conflicts = merging.read(status, output, complaint)
        parents = ("-p", one, "-p", other)
        return Merge(self._write("commit-tree", *parents, "-m", "both", tree, environ=IDENTITY), conflicts)

    def recent_remote_refs(self, most: int) -> list[RemoteRef]:
        return remotes.recent(self._plumb, most)

    def added_by(
        self, refs: Sequence[RemoteRef], without: Sequence[str], directories: Sequence[str], *, since: int, most: int
    ) -> Mapping[str, list[str]]:
        """By ref, the files that its own commits add below the directories: see remotes.py."""
        return remotes.added(self._plumb, refs, without, directories, since=since, most=most)

    def checkout(
        self, commit: str, *, roots: Sequence[str], scratch: Path, dirs: Sequence[str] | None = None
    ) -> AbstractContextManager[Path]:
        """A directory with exactly the tree of ``commit``, gone or unchanged afterwards: see checkout.py.

        ``roots`` are the directories that tools are started in, ``dirs`` those with the migrations (default:
        the roots), all relative to the top. ``scratch`` is an existing directory.
        """
        from neon_hooks.checkout import Checkout

        return Checkout(self, self._plumb, self._write).of(commit, roots=roots, dirs=dirs, scratch=scratch)

    def _start_cat_file(self) -> subprocess.Popen[bytes]:
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        argv = command("cat-file", "--batch")
        environ = {**self._environ, "GIT_INDEX_FILE": str(self._index)}  # of which ``:path`` speaks
        return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=null, cwd=self.top, env=environ)

    def _plumb(self, *argv: str, index: Path | None = None) -> str:
        """The output of a command that does not fail in a sound repository. Raises Unavailable if it does."""
        environ = {**self._environ, "GIT_INDEX_FILE": str(index)} if index else self._environ
        status, output, complaint = ask(command(*argv), cwd=self.top, environ=environ)
        if status:
            raise failed(argv, complaint)
        return output

    def _answer(self, *argv: str) -> str:
        """One line, "" if the command says by its status that there is none."""
        status, output, _ = ask(command(*argv), cwd=self.top, environ=self._environ)
        return "" if status else output.removesuffix("\n")

    def _write(self, *argv: str, environ: Mapping[str, str]) -> str:
        """The output, less its last newline, of a command that writes. Raises Unavailable if it fails."""
        import git

        # GitPython adds to the inherited variables and cannot take any away, so all that matter are set.
        ours = {key: value for key, value in self._environ.items() if key.startswith("GIT_")}
        keeper: Any = git.Git(self.top).execute(command(*argv), as_process=True, env={**ours, **environ})
        with keeper.proc as process:  # closes the pipes: a filter of the user's may hold their other ends
            try:
                output, complaint = process.communicate()
            except BaseException:
                process.terminate()  # not kill: on SIGTERM git removes its lock files
                raise
        if process.returncode:
            raise failed(argv, os.fsdecode(complaint))
        return os.fsdecode(output).removesuffix("\n")
