"""From what is pushed to the range of commits that is checked: which base, and by which rule.

Pure: a ``History`` answers the questions, git.py is the one that can. The database needs every
migration that the main line does not have, not only those since the last push, so the main line comes
before what a hook manager calls "from". A range that is too wide is safe, one that is too narrow is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from neon_hooks.changes import Range, RefUpdate, is_zero
from neon_hooks.errors import UsageError
from neon_hooks.push import Push

HEADS = "refs/heads/"
USUAL_NAMES = ("main", "master", "trunk", "develop")


class History(Protocol):
    """What must be known of a repository. Commits are full ids; None means that there is none."""

    def resolve(self, name: str) -> str | None: ...
    def exists(self, name: str) -> bool: ...
    def commit(self, ref: str) -> str: ...
    def staged_commit(self) -> str: ...
    def merge_base(self, one: str, other: str) -> str | None: ...
    def remotes(self) -> Mapping[str, frozenset[str]]: ...
    def default_git_ref(self) -> str: ...
    def symbolic_target(self, ref: str) -> str: ...


@dataclass(frozen=True)
class MainLine:
    """The tracking ref that stands for what is published: ``refs/remotes/origin/HEAD`` at best."""

    remote: str
    ref: str
    commit: str


def resolved(history: History, pushes: Iterable[Push]) -> list[Push]:
    """The pushes with their commits: tags are peeled, what is no commit is left out, each commit once.

    Raises UsageError if a person named a ref that does not exist.
    """
    found: dict[str, Push] = {}
    hints: list[Push] = []
    for push in pushes:
        commit = _commit(history, push)
        if commit:
            known = found.get(commit, push).updates
            updates = tuple(dict.fromkeys(known + push.updates))
            found[commit] = replace(found.get(commit, push), commit=commit, updates=updates)
        elif not push.exact and not history.exists(push.name):
            hints.append(push)
    head = history.resolve("HEAD") if hints and not found else None
    if head:
        return [replace(hints[0], name="HEAD", commit=head)]
    return list(found.values())


def _commit(history: History, push: Push) -> str | None:
    if push.staged:
        return history.staged_commit()
    return history.commit(push.name) if push.required else history.resolve(push.name)


def range_of(
    history: History, push: Push, *, base: str = "", from_ref: str = "", everything: bool = False
) -> Range:
    """The range of a resolved push. ``base`` is the setting, ``from_ref`` the flag.

    Raises UsageError if either does not name a commit.
    """
    line = main_line(history, push.remote_name, push.remote_url)
    start, rule = _base(history, push, line, base=base, from_ref=from_ref, everything=everything)
    published = _published(history, push, line, start) if line else None
    return Range(start, push.commit, rule, push.git_ref, published, push.staged)


def _base(
    history: History, push: Push, line: MainLine | None, *, base: str, from_ref: str, everything: bool
) -> tuple[str | None, str]:
    """The base and the rule that found it, best rule first."""
    if everything:
        return None, "--all"
    for name, rule in ((from_ref, f"--from-ref {from_ref}"), (base, f"the setting base, {base}")):
        if name:
            commit = _named(history, name, rule)
            return history.merge_base(commit, push.commit) or commit, rule
    candidates = [(line.commit, line.ref)] if line else []
    for update in push.updates:
        old_tip = None if is_zero(update.remote_oid) else history.resolve(update.remote_oid)
        if old_tip and (push.exact or _is_credible(history, push, update, old_tip)):
            candidates.append((old_tip, "the last push"))
    for commit, rule in candidates:
        start = history.merge_base(commit, push.commit)
        if start:
            return start, rule
    return None, "nothing is published yet"


def _is_credible(history: History, push: Push, update: RefUpdate, old_tip: str) -> bool:
    """A manager sets FROM_REF together with TO_REF: beside another target, it is a stale inherited one.

    Nor is anything pushed that is there already.
    """
    return history.resolve(update.local_oid) == push.commit and old_tip != push.commit


def _named(history: History, name: str, rule: str) -> str:
    commit = history.resolve(name)
    if not commit:
        raise UsageError(
            f"{rule}: there is no such commit in this repository",
            fix="name a commit, a tag or a git branch that is fetched, such as origin/main",
        )
    return commit


def main_line(history: History, remote_name: str, remote_url: str) -> MainLine | None:
    """The main line as last fetched from the remote that is pushed to, None if nothing was fetched."""
    for remote in _remotes(history, remote_name, remote_url):
        for name in _names(history):
            ref = f"refs/remotes/{remote}/{name}"
            commit = history.resolve(ref)
            if commit:
                return MainLine(remote, ref, commit)
    return None


def _remotes(history: History, name: str, url: str) -> Iterator[str]:
    """The pushed remote; for a push by URL (git then gives the URL as the name, too) the one with it."""
    if name and name != url:
        yield name
        return
    if not url:
        yield "origin"
    known = history.remotes()
    wanted = _comparable(url)
    yield from sorted(
        known, key=lambda each: (wanted not in map(_comparable, known[each]), each != "origin", each)
    )


def _comparable(url: str) -> str:
    return url.rstrip("/").removesuffix(".git")


def _names(history: History) -> Iterator[str]:
    yield "HEAD"
    default = history.default_git_ref()
    if default:
        yield default
    yield from USUAL_NAMES


def _published(history: History, push: Push, line: MainLine, start: str | None) -> str | None:
    """The tip of the main line that the push would replace with something that does not contain it."""
    for update in push.updates:
        name = update.remote_ref.removeprefix(HEADS)
        tracking = history.resolve(f"refs/remotes/{line.remote}/{name}")
        if name == update.remote_ref or tracking != line.commit:
            continue  # certainly not the main line: that is asked first, as it costs no process
        for tip in _old_tips(history, push, update, line.commit):
            contained = tip in (start, push.commit) or history.merge_base(tip, push.commit) == tip
            if not contained and _is_main_line(history, line, name):
                return tip
    return None


def _old_tips(history: History, push: Push, update: RefUpdate, tracking: str) -> list[str]:
    """git's own word is exact if we have that commit; pre-commit's may be a commit before the old tip."""
    if is_zero(update.remote_oid):
        return [] if push.exact else [tracking]
    told = history.resolve(update.remote_oid)
    if push.exact:
        return [told or tracking]
    return list(dict.fromkeys([told or tracking, tracking]))


def _is_main_line(history: History, line: MainLine, name: str) -> bool:
    ref = f"refs/remotes/{line.remote}/{name}"
    return ref in (line.ref, history.symbolic_target(line.ref))
