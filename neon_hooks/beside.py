"""Two pushes that are fine alone: which trees git would merge them to, and in which order they could be deployed.

What is tried is what a deployment would run, never a mixture of files that no commit has. Nobody knows which of
the two is merged and deployed first, and the order decides: a tool skips or refuses what is numbered below
the last one that it has applied, and what one renames the other no longer finds. So each order is tried on a
test Neon database branch of its own:

    origin/feature-x first    main + x is deployed, then main + x + this push is validated as a push onto main + x
    this push first           main + this push is deployed, then the same tree is validated as a push of x's

``+`` is `git merge-tree` (merging.py). The tree at the end is one and the same: both at once, in the order that
the tool makes of it, is what the trial of the whole history does with it. Further --with refs are deployed
in the order in which they are given. A conflict is a finding of its own: nothing is tried then, except where it
lies in prose, which no migration tool reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from neon_hooks.changes import Range, Step
from neon_hooks.git import Repository
from neon_hooks.plan import Clash
from neon_hooks.push import Push
from neon_hooks.pushed import Attempt, what_is_pushed
from neon_hooks.ranges import main_line
from neon_hooks.settings import Settings

PROSE = (".md", ".rst", ".adoc")
MAIN_LINE = "the main line"


def attempts(
    repository: Repository, push: Push, pushed: Range, git_refs: Sequence[str], settings: Settings
) -> tuple[list[Attempt], list[str]]:
    """Each order of the push and ``git_refs``; and those of the refs that bring nothing, which are left out.

    Without any that does, the push is all that there is. Raises UsageError for a ref that is no commit.
    """
    main = _main(repository, push, pushed)
    named = [(git_ref, repository.commit(git_ref)) for git_ref in dict.fromkeys(git_refs)]
    others = [each for each in named if _brings(repository, main, each, pushed, settings)]
    idle = [git_ref for git_ref, _ in named if git_ref not in dict(others)]
    works = tuple(what_is_pushed(repository, pushed, settings, models=settings.trials.drift))
    if not others or not works:
        return [Attempt(pushed, works)], idle
    mine = (repository.describe(push.commit) if push.git_ref == "HEAD" else push.git_ref, push.commit)
    found = (_attempt(repository, main, order, pushed, settings) for order in ([*others, mine], [mine, *others]))
    made = _without_repeated_clash([attempt for attempt in found if attempt.works or attempt.clash])
    return (made, idle) if made else ([Attempt(pushed, works)], [git_ref for git_ref, _ in named])


def _main(repository: Repository, push: Push, pushed: Range) -> str | None:
    """The main line as last fetched, with what it has beyond the push; or the base that the settings want."""
    line = main_line(repository, push.remote_name, push.remote_url)
    return line.commit if line and line.ref == pushed.rule else pushed.base


def _brings(
    repository: Repository, main: str | None, other: tuple[str, str], pushed: Range, settings: Settings
) -> bool:
    git_ref, commit = other
    merge = repository.merged(main, commit) if main else None
    if merge and _harmful(merge.conflicts):
        return True  # of which more is said when it is its turn
    there = Range(main, merge.commit if merge else commit, f"--with {git_ref}", git_ref)
    return bool(what_is_pushed(repository, there, settings, models=settings.trials.drift))


def _attempt(
    repository: Repository, main: str | None, order: Sequence[tuple[str, str]], pushed: Range, settings: Settings
) -> Attempt:
    steps: list[Step] = []
    here, clash = main, None
    for git_ref, commit in order:
        before = [step.git_ref for step in steps] or [MAIN_LINE]
        merge = repository.merged(here, commit) if here else None
        if merge and _harmful(merge.conflicts):
            clash = Clash(git_ref, tuple(before), tuple(_harmful(merge.conflicts)))
            break
        steps.append(Step(git_ref, here, merge.commit if merge else commit))
        here = steps[-1].commit
    if clash or not steps:
        return Attempt(pushed, clash=clash)
    *first, last = steps
    rule = "--with " + " ".join(step.git_ref for step in first)
    range = replace(pushed, base=last.base, target=last.commit, rule=rule, git_ref=last.git_ref, published=None, after=tuple(first))
    return Attempt(range, tuple(what_is_pushed(repository, range, settings, models=settings.trials.drift)))


def _harmful(conflicts: Sequence[str]) -> list[str]:
    return [path for path in conflicts if not path.lower().endswith(PROSE)]


def _without_repeated_clash(made: list[Attempt]) -> list[Attempt]:
    """Two that cannot be merged cannot be merged the other way round, either."""
    clash = next((attempt for attempt in made if attempt.clash), None)
    return [clash] if clash else made
