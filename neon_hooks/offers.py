"""Other pushes that this one could be tried with: somebody's migrations that neither it nor the main line has.

They are only named, with the command that tries both (`validate --with`); nothing is fetched and nothing is run.
What is looked at is bounded, whatever the repository: the remote git branches with the youngest tips, their own
commits of the last month, and the directories that this push has migrations in. The caller does it while Neon
makes the test Neon database branch.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from neon_hooks import systems
from neon_hooks.changes import Range
from neon_hooks.errors import NeonHooksError
from neon_hooks.facts import Facts, OtherPush
from neon_hooks.git import Repository
from neon_hooks.plan import Work
from neon_hooks.registry import may_be_migration
from neon_hooks.tree import Tree, inside

REFS, COMMITS, PATHS, DAYS = 20, 500, 50, 30
TRACKING = "refs/remotes/"
NAME = re.compile(r"[A-Za-z0-9_][\w./+-]*")  # a git branch that needs no quotes in any shell
COMMIT = re.compile(r"[0-9a-f]{12,64}")  # what is pushed without a name is called by its commit


@dataclass(frozen=True)
class Seen:
    """A test Neon database branch of another run, and what its annotation says is tried there."""

    name: str
    git_branch: str
    git_sha: str


def with_offers(facts: Facts, repository: Repository, runs: Iterable[tuple[str, str, str]]) -> Facts:
    """``runs``: name, git branch and commit of other runs' test Neon database branches of the same parent."""
    works = [unit.work for unit in facts.units]
    others = other_pushes(repository, facts.range, works, [Seen(*run) for run in runs])
    return replace(facts, others=others, asking=asking(repository, facts.range)) if others else facts


def other_pushes(
    repository: Repository, pushed: Range, works: Sequence[Work], seen: Sequence[Seen] = ()
) -> tuple[OtherPush, ...]:
    """Those of remote git branches first. None where git cannot tell: an offer is no reason to stop."""
    works = [work for work in works if work.pushed]
    with suppress(NeonHooksError):
        if works:
            found = {each.git_ref: each for each in _fetched(repository, pushed, works)}
            found |= {each.git_ref: each for each in _at_work(repository, pushed, seen) if each.git_ref not in found}
            return tuple(found.values())
    return ()


def _known(repository: Repository, pushed: Range) -> list[str]:
    """Commits whose migrations are nobody else's: the push, its base, and the main line as it was fetched."""
    tips = (pushed.target, pushed.base, repository.resolve(pushed.rule))
    return list(dict.fromkeys(tip for tip in tips if tip))


def _own_name(repository: Repository, pushed: Range) -> str:
    """The git branch that is pushed: what it was before (amended, rebased) is nobody else's."""
    return repository.describe(pushed.target) if pushed.git_ref == "HEAD" else pushed.git_ref


def _fetched(repository: Repository, pushed: Range, works: Sequence[Work]) -> Iterator[OtherPush]:
    since = int(time.time()) - DAYS * 86400
    own = f"/{_own_name(repository, pushed)}"
    refs = [
        ref
        for ref in repository.recent_remote_refs(REFS)
        if ref.time > since and not ref.name.endswith(own) and NAME.fullmatch(ref.name)
    ]
    known = _known(repository, pushed)
    directories = sorted({work.unit.migrations_dir for work in works})
    added = repository.added_by(refs, known, directories, since=since, most=COMMITS)
    contents = {
        (ref.name, path): repository.content(f"{ref.commit}:{path}")
        for ref in refs
        for path in sorted(added.get(ref.name, ()))[:PATHS]
        if not any(repository.exists(f"{commit}:{path}") for commit in known)
    }
    texts = {path: text for (_, path), text in contents.items() if text}  # nothing is left of what was deleted again
    migrations = _migrations(repository.tree(pushed.target), texts, works)
    for ref in refs:
        paths = tuple(path for name, path in contents if name == ref.name and path in migrations)
        if paths:
            yield OtherPush(ref.name.removeprefix(TRACKING), paths)


def _migrations(tree: Tree, texts: Mapping[str, bytes], works: Iterable[Work]) -> frozenset[str]:
    """Those of the files that would be migrations of the pushed tree if it had them, and not a way back or a helper.

    Where another file lists the migrations (``System.watch``) that cannot be asked: any file counts that looks like one.
    """
    with_them = Tree({**tree.oids, **dict.fromkeys(texts, "")}, lambda path: texts[path] if path in texts else tree.content(path))
    found: set[str] = set()
    for unit in (work.unit for work in works):
        system = systems.by_name(unit.system)
        some = {p for p, text in texts.items() if inside(p, unit.migrations_dir) and may_be_migration(unit.system, p, text)}
        found |= some if any(system.watch(unit)) else some & {m.path for m in system.history(unit, with_them)} if some else set()
    return frozenset(found)


def _at_work(repository: Repository, pushed: Range, seen: Sequence[Seen]) -> Iterator[OtherPush]:
    """What somebody is pushing just now, and nobody can have fetched yet."""
    remote = pushed.rule.removeprefix(TRACKING).partition("/")[0] if pushed.rule.startswith(TRACKING) else "origin"
    known = _known(repository, pushed)
    main_line = {pushed.rule, repository.symbolic_target(pushed.rule)}
    for each in seen:
        git_ref = f"{remote}/{each.git_branch}"
        here = repository.resolve(each.git_sha)
        if not _is_somebodys(each.git_branch, remote) or each.git_branch == _own_name(repository, pushed):
            continue
        if f"{TRACKING}{git_ref}" in main_line or (here and repository.resolve(git_ref) == here):
            continue
        if here and any(repository.merge_base(here, tip) == here for tip in known):
            continue
        yield OtherPush(git_ref, neon_branch=each.name, fetch=f"git fetch {remote}")


def _is_somebodys(git_branch: str, remote: str) -> bool:
    """Whether it is the name of a git branch: runs by hand call what they look at HEAD, a commit, or ``origin/x``."""
    named = NAME.fullmatch(git_branch) and not COMMIT.fullmatch(git_branch)
    return bool(named) and git_branch != "HEAD" and not git_branch.startswith(f"{remote}/")


def asking(repository: Repository, pushed: Range) -> str:
    """The flags with which `neon-hooks validate` looks at the same commit again."""
    if pushed.staged:
        return "--staged"
    if repository.resolve("HEAD") == pushed.target:
        return ""
    named = NAME.fullmatch(pushed.git_ref) and repository.resolve(pushed.git_ref) == pushed.target
    return f"--to-ref {pushed.git_ref if named else pushed.target}"
