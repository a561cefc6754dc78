"""THE GUARD: a connection string leads to our test Neon database branch's own compute, and to no other.

Pure. Everything that is not certain is refused: a push that could not be validated is a nuisance, a
migration that ran on the main Neon database branch is a disaster.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable
from neon_hooks.neon.models import Endpoint

# libpq takes these from a URI's query instead of from its front (manual, section 34.1.2); `options`
# names an endpoint to Neon's proxy (docs, connection errors).
REDIRECTING = frozenset(
    "host hostaddr port dbname user password passfile service servicefile options endpoint project".split()
)
# The same in the password, for clients without SNI.
REDIRECTING_PASSWORDS = ("endpoint=", "project=", "ep-")

Authority = tuple[str, int]


def prove_ours(
    dsn: Dsn,
    *,
    branch_id: str,
    database: str,
    role: str,
    others: Collection[str],
    endpoints: Sequence[Endpoint],
) -> None:
    """Raise Unavailable unless ``dsn`` can only lead to the Neon database branch ``branch_id``.

    ``others`` are the ids of Neon database branches that are not ours (the parent, the default one, all
    that existed before); ``endpoints`` is every compute of the project.
    """
    reason = _doubt(dsn, branch_id, others, endpoints)
    if not reason and (dsn.database, dsn.user) != (database, role):
        reason = f"it is for {dsn.user!r} in {dsn.database!r}, not for {role!r} in {database!r}"
    if reason:
        raise Unavailable(
            f"nothing was run: it is not certain that {dsn} is the test Neon database branch: {reason}",
            fix="push again; if it happens again, report it with this message",
        )


def _doubt(dsn: Dsn, branch_id: str, others: Collection[str], endpoints: Sequence[Endpoint]) -> str:
    """The first thing that is not certain, "" when there is none."""
    ours = [endpoint for endpoint in endpoints if endpoint.branch_id == branch_id]
    foreign = {_authority(endpoint.host, endpoint.port) for endpoint in endpoints if endpoint not in ours}
    target = _authority(dsn.host, dsn.port)
    doubts = (
        (not branch_id, "it has no id"),
        (branch_id in others, "its id is that of another Neon database branch"),
        (not _single_host(dsn.host), "the host is not one host name"),
        (_is_pooled(dsn.host), "the host is the pooled one"),
        (bool(REDIRECTING & {name.lower() for name in dsn.params}), "a parameter can lead elsewhere"),
        (dsn.password.startswith(REDIRECTING_PASSWORDS), "the password names a compute"),
        (not all(e.host and e.branch_id and 0 < e.port < 65536 for e in endpoints), "a compute is unknown"),
        (not ours, "it has no compute"),
        (target in foreign, "the host is that of another Neon database branch"),
        (
            target not in {_authority(e.host, e.port) for e in ours if e.type == "read_write"},
            "the host is not that of its read-write compute",
        ),
    )
    return next((reason for holds, reason in doubts if holds), "")


def _authority(host: str, port: int) -> Authority:
    """Host and port in one spelling: the pooled name and a final dot mean the same compute."""
    first, dot, rest = host.lower().rstrip(".").partition(".")
    return first.removesuffix("-pooler") + dot + rest, port


def _is_pooled(host: str) -> bool:
    return host.lower().partition(".")[0].endswith("-pooler")


def _single_host(host: str) -> bool:
    return bool(host) and not any(c in ",/@%" or c.isspace() for c in host)
