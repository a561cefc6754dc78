"""Which project, which parent, which database and role: taken from the settings or from what is the only
one; never guessed from usual names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.neon.access import ID
from neon_hooks.neon.client import NeonClient
from neon_hooks.neon.models import Branch
from neon_hooks.neon.ownership import is_ours
from neon_hooks.neon.refusals import Refused
from neon_hooks.settings import Settings

SHOWN = 5  # how many names a message lists
PROJECT_FIX = "set NEON_PROJECT_ID or `project_id`; the Neon Console shows it under Project settings"


def with_project(settings: Settings, client: NeonClient, connection_string: str) -> Settings:
    """The settings with a project id: theirs, else the one that ``connection_string`` belongs to.

    Raises UsageError when neither tells.
    """
    project_id = settings.project_id or (find_project(client, connection_string) if connection_string else "")
    if not project_id:
        raise UsageError("no Neon project is set", fix=PROJECT_FIX)
    if not ID.fullmatch(project_id):
        raise UsageError(f"`project_id` is {project_id!r}, which is no id of a Neon project", fix=PROJECT_FIX)
    return replace(settings, project_id=project_id)


def find_project(client: NeonClient, connection_string: str) -> str:
    """The id of the visible project that has a compute at the connection string's host, "" when none has."""
    try:
        dsn = Dsn.parse(connection_string)
    except UsageError:
        return ""
    first, dot, rest = dsn.host.lower().partition(".")
    wanted = first.removesuffix("-pooler") + dot + rest, dsn.port
    for project_id in _visible_projects(client):
        if any((e.host.lower(), e.port) == wanted for e in client.endpoints(project_id)):
            return project_id
    return ""


def _visible_projects(client: NeonClient) -> Iterator[str]:
    """A personal key must name an organization; the others may not or need not."""
    try:
        yield from client.projects()
    except Refused as error:
        if error.status in (401, 403):
            raise
        for org_id in client.organizations():
            yield from client.projects(org_id)


@dataclass(frozen=True)
class Source:
    """``parent`` is copied; ``others`` are the ids of all that existed before we made anything."""

    parent: Branch
    others: frozenset[str]


def choose_parent(branches: Sequence[Branch], wanted: str) -> Source:
    """``wanted`` is an id, an exact name, or "" for the default one.

    Raises UsageError when it does not exist or cannot have children.
    """
    default = next((branch for branch in branches if branch.default), None)
    if default is None:
        raise Unavailable("Neon names no default Neon database branch", fix=PROJECT_FIX)
    parent = default
    if wanted:
        by_id_then_name = [b for b in branches if b.id == wanted] + [b for b in branches if b.name == wanted]
        if not by_id_then_name:
            names = [branch.name for branch in branches if not is_ours(branch)]
            more = ", ..." if len(names) > SHOWN else ""
            raise UsageError(
                f"`parent` is {wanted!r}, and the project has no such Neon database branch",
                fix=f"it has {', '.join(sorted(names)[:SHOWN])}{more};"
                " without `parent` the default one is copied",
            )
        parent = by_id_then_name[0]
    if parent.expires_at:
        raise UsageError(
            f"`parent` is {parent.name!r}, which expires at {parent.expires_at}:"
            " Neon makes no children of a Neon database branch that expires",
            fix="choose another `parent`, or remove its expiry in the Neon Console",
        )
    return Source(parent, frozenset(branch.id for branch in branches))


def the_one(kind: str, key: str, wanted: str, names: Sequence[str], *, hint: str = "") -> str:
    """``wanted`` if it exists, else the only one of ``names``. Raises UsageError that lists them."""
    if wanted in names or (not wanted and len(names) == 1):
        return wanted or names[0]
    listed = ", ".join(names) or "none"
    if wanted:
        raise UsageError(
            f"the {kind} {wanted!r} does not exist on the parent Neon database branch",
            fix=f"set `{key}` to one of: {listed}",
        )
    raise UsageError(
        f"the parent Neon database branch has {len(names) or 'no'} {kind}s and `{key}` is not set",
        fix=f"set `{key}` (or NEON_HOOKS_{key.upper()}) to one of: {listed}{hint and f'; {hint}'}",
    )
