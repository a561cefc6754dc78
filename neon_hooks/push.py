"""What the outside says is pushed: flags, pre-commit's variables or a hook's standard input.

Pure: nothing is resolved here, and what pre-commit's variables say is only a hint, because it never
clears inherited ones. Names follow githooks(5), section pre-push.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from neon_hooks.changes import RefUpdate, is_zero, parse_ref_updates

PUSH_VARIABLES = ("FROM_REF", "TO_REF", "LOCAL_BRANCH", "REMOTE_BRANCH", "REMOTE_NAME", "REMOTE_URL")
INDEX = "the index"


@dataclass(frozen=True)
class Push:
    """One commit to check. ``name`` is what the outside calls it, in any form that git can resolve;
    ``commit`` its full id, which ``ranges.resolved`` fills in.

    ``required``: a person named it, so it is an error if it does not exist. ``updates`` are the places
    it goes to, with their old tips; ``exact`` says that git itself told us those, so they are no hints.
    """

    name: str
    commit: str = ""
    required: bool = False
    staged: bool = False
    exact: bool = False
    remote_name: str = ""
    remote_url: str = ""
    updates: tuple[RefUpdate, ...] = ()

    @property
    def git_ref(self) -> str:
        """What is pushed, for people: ``feature/x``, ``HEAD``, ``v1.0``."""
        name = next((update.local_ref for update in self.updates if update.local_ref), self.name)
        return name.removeprefix("refs/heads/").removeprefix("refs/tags/")


def pushes_from(
    environ: Mapping[str, str],
    *,
    to_ref: str = "",
    staged: bool = False,
    remote_name: str = "",
    remote_url: str = "",
    stdin: Iterable[str] | None = None,
) -> list[Push]:
    """Which commits are to be checked: flags > pre-commit's variables > standard input > HEAD.

    ``stdin`` are the lines of a pre-push hook's standard input. It is not touched under pre-commit,
    which has read it itself. Raises UsageError for a line that is no ref update.
    """
    told = {key: environ.get(f"PRE_COMMIT_{key}", "") for key in PUSH_VARIABLES}
    under_pre_commit = environ.get("PRE_COMMIT") == "1"
    if under_pre_commit:
        remote_name, remote_url = told["REMOTE_NAME"], told["REMOTE_URL"]
    push = Push(to_ref or "HEAD", remote_name=remote_name, remote_url=remote_url)
    if staged:
        return [replace(push, name=INDEX, staged=True)]
    if to_ref:
        return [replace(push, required=True)]
    if under_pre_commit:
        return _from_environment(push, told, committing="GIT_INDEX_FILE" in environ)
    if stdin is not None:
        updates = [update for update in parse_ref_updates(stdin) if not update.deletes]
        return [replace(push, name=u.local_oid, exact=True, updates=(u,)) for u in updates]
    return [push]


def _from_environment(push: Push, told: Mapping[str, str], *, committing: bool) -> list[Push]:
    """pre-commit sets either FROM_REF and TO_REF, or the four others, or all; prek also TO_REF alone.

    Without TO_REF (a push that has a root commit) LOCAL_BRANCH names what is pushed, which need not be
    HEAD. Where both are set they agree, unless one is a stale inherited value: then both are checked.
    """
    if not any(told.values()):
        # git commit tells its hooks which index it commits, git push sets no such variable.
        return [replace(push, name=INDEX, staged=True) if committing else push]
    update = RefUpdate(told["LOCAL_BRANCH"], told["TO_REF"], told["REMOTE_BRANCH"], told["FROM_REF"])
    names = [name for name in (told["TO_REF"], told["LOCAL_BRANCH"]) if not is_zero(name)]
    return [replace(push, name=name, updates=(update,)) for name in names or [push.name]]
