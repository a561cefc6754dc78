"""The life of a test Neon database branch: made, handed out, deleted, whatever happens.

States, and what is done when the run ends in one of them:

    absent     nothing was asked for                          nothing
    requested  the creation is on its way                     as unknown, if it left this machine
    unknown    it left, and no answer told what became of it  look its unique name up, then as created
    created    it exists, Neon's operations still run         delete; 423 means "later", so again
    ready      its operations are done                        delete
    deleting   the deletion is on its way                     repeated until it is answered and done
    gone       Neon has deleted it, or knows it no more       nothing
    left over  the deletion did not succeed in time           said in ``left_over``; expires_at, sweep

    absent -> requested -> created -> ready -> deleting -> gone | left over
                  |           ^  |               ^  ^
                  +-> unknown-+  +---------------+  |
                         +--------------------------+

An interruption is an exception at any line (lifetime.py), so each state is entered before what it
describes begins, and ``_close`` decides by what is known, not by how far the code came. The deletion is
shielded from further signals and has its own time. Nothing is printed here.
"""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from types import TracebackType

from neon_hooks import lifetime
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import DeadlineExceeded, NeonHooksError, Unavailable
from neon_hooks.facts import NeonBranch
from neon_hooks.neon import creation, guard, ownership
from neon_hooks.neon.choices import Source, choose_parent, the_one, with_project
from neon_hooks.neon.client import NeonClient
from neon_hooks.neon.deletion import delete
from neon_hooks.neon.models import Branch, Created, Json, Operation
from neon_hooks.neon.ownership import Identity
from neon_hooks.neon.refusals import AGAIN, AnswerLost, Refused
from neon_hooks.neon.waiting import wait_for_anonymization, wait_for_operations
from neon_hooks.settings import Settings

CLEAN_UP = 15.0  # seconds beyond the deadline, and at most as many again while there is time
ACTIVE = "active"  # of a compute
UNSETTLED = 5.0  # seconds in which a request whose answer we lost may still be carried out


class State(StrEnum):
    ABSENT = "absent"
    REQUESTED = "requested"
    UNKNOWN = "unknown"
    CREATED = "created"
    READY = "ready"
    DELETING = "deleting"
    GONE = "gone"
    LEFT_OVER = "left over"


def test_neon_branch(
    settings: Settings,
    *,
    git_sha: str,
    git_ref: str,
    deadline: Deadline,
    say: Callable[[str], None],
    connection_string: str = "",
) -> TestNeonBranch:
    """A test Neon database branch for the length of a ``with`` block.

    Entering asks for it and returns while Neon still works on it, so that other work can go on;
    ``dsn`` waits. ``connection_string`` (the project's own, if there is one) only serves to find the
    project when no project is set. Raises UsageError and Unavailable; the deletion raises nothing.
    """
    return TestNeonBranch(settings, git_sha, git_ref, deadline, say, connection_string)


class TestNeonBranch:
    """``left_over`` is "" or, after the block, a sentence about what could not be deleted.

    ``facts.deleted``, after the block: Neon's operations that delete it have finished, or Neon knows
    it no more.
    """

    __test__ = False  # pytest takes the name for that of a test

    def __init__(
        self,
        settings: Settings,
        git_sha: str,
        git_ref: str,
        deadline: Deadline,
        say: Callable[[str], None],
        connection_string: str,
    ) -> None:
        self.left_over = ""
        self.state = State.ABSENT
        self._settings = settings
        self._git = git_sha, git_ref
        self._deadline = deadline
        self._say = say
        self._connection_string = connection_string
        self._client: NeonClient | None = None
        self._source: Source | None = None
        self._identity: Identity | None = None
        self._branch: Branch | None = None
        self._branches: Sequence[Branch] = ()
        self._operations: Sequence[Operation] = ()
        self._expires_at = ""
        self._asked_at = 0.0
        self._unsettled_until = 0.0
        self._closed = False
        self._process = os.getpid()

    def __enter__(self) -> TestNeonBranch:
        try:
            self._prepare()
            self._create()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def facts(self) -> NeonBranch:
        """What the report says about it; the id is "" until Neon has told it."""
        return NeonBranch(
            id=self._branch.id if self._branch else "",
            name=self._identity.name if self._identity else "",
            parent_id=self._source.parent.id if self._source else "",
            parent_name=self._source.parent.name if self._source else "",
            expires_at=(self._branch.expires_at if self._branch else "") or self._expires_at,
            deleted=self.state is State.GONE,
        )

    @property
    def other_runs(self) -> list[tuple[str, str, str]]:
        """(name, git branch, commit) of the test Neon database branches that there were of the same parent."""
        return ownership.runs_of(self._branches, self._source.parent.id) if self._source else []

    def wait_until_ready(self) -> None:
        """Return when Neon's operations are done. Raises Unavailable when one failed for good."""
        client, branch, _ = self._running()
        if self.state is State.READY:
            return
        self._tell("waiting for its compute")
        wait_for_operations(client, self._operations)
        if self._settings.data == creation.ANONYMIZED:
            self._tell("waiting for its anonymization")
            wait_for_anonymization(client, branch.id)
        self.state = State.READY

    def dsn(self, database: str = "") -> Dsn:
        """The direct connection string, proven to lead to this Neon database branch and to no other.

        ``database`` is the one to connect to, by default the settings' one, else the only one. Raises
        UsageError, listing them, when that leaves a choice, and Unavailable when anything is not certain.
        """
        self.wait_until_ready()
        client, branch, source = self._running()
        name, role = self._login(client, branch.id, database)
        dsn = client.connection(branch.id, name, role)
        guard.prove_ours(
            dsn,
            branch_id=branch.id,
            database=name,
            role=role,
            others=source.others,
            endpoints=client.endpoints(),
        )
        return dsn

    def parent_dsn(self, database: str = "") -> Dsn:
        """The parent's connection string, for looking at what its compute remembers. Never handed to a tool.

        Raises Unavailable where its compute does not run: it remembers nothing then, and is not woken up.
        """
        client, _, source = self._running()
        parent = source.parent
        computes = [e for e in client.endpoints() if e.branch_id == parent.id and e.type == "read_write"]
        if not any(compute.state == ACTIVE for compute in computes):
            raise Unavailable(f"the compute of {parent.name} does not run, and remembers no queries then")
        dsn = client.connection(parent.id, *self._login(client, parent.id, database))
        if dsn.host not in {compute.host for compute in computes}:
            raise Unavailable(f"it is not certain that {dsn} is {parent.name}", fix=AGAIN)
        return dsn

    def _login(self, client: NeonClient, branch_id: str, database: str) -> tuple[str, str]:
        """Database and role, as in ``dsn``."""
        owners = {found.name: found.owner for found in client.databases(branch_id)}
        name = the_one("database", "database", database or self._settings.database, sorted(owners))
        roles = sorted(role.name for role in client.roles(branch_id) if role.can_log_in)
        hint = f"{owners[name]} owns the database {name}"
        return name, the_one("role", "role", self._settings.role, roles, hint=hint)

    # Making it.

    def _prepare(self) -> None:
        self._client = client = NeonClient(self._settings, self._deadline)
        self._settings = with_project(self._settings, client, self._connection_string)
        client.project_id = self._settings.project_id
        self._branches = client.branches()
        self._source = choose_parent(self._branches, self._settings.parent)
        self._identity = ownership.new_identity(*self._git, client.now())
        self._expires_at = creation.rfc3339(client.now() + timedelta(seconds=self._settings.ttl))

    def _create(self) -> None:
        client, source, identity = self._client, self._source, self._identity
        assert client and source and identity
        self._tell("creating a test Neon database branch")
        data = self._settings.data
        order = creation.order(
            source.parent, identity, expires_at=self._expires_at, data=data, masking=self._masking(client, source)
        )
        # Last resort for an interruption outside of every `try`: between two bytecodes of our caller.
        atexit.register(self._close)
        self._asked_at = time.monotonic()
        self.state = State.REQUESTED
        try:
            created = client.create_branch(order, anonymized=data == creation.ANONYMIZED)
        except AnswerLost as error:
            created = self._adopt(client, error)
        except Refused as error:
            if error.status != 409:
                raise creation.with_left_overs(error, self._branches, client.now()) from None
            created = self._adopt(client, error)
        if created.branch.id in source.others:  # never to be deleted by us
            raise Unavailable("Neon answered the creation with one that existed before", fix=AGAIN)
        self._branch, self._operations = created.branch, created.operations
        self.state = State.CREATED
        creation.check(created.branch, source.parent, data=data)

    def _masking(self, client: NeonClient, source: Source) -> list[Json]:
        """The settings' rules, each with its database; that of the run where it names none."""
        rules = self._settings.masking
        if self._settings.data != creation.ANONYMIZED:
            return []
        database = self._settings.database
        if not database and not all(rule.database for rule in rules):
            names = sorted(found.name for found in client.databases(source.parent.id))
            database = the_one("database", "database", "", names)
        return creation.masking_rules(rules, database)

    def _adopt(self, client: NeonClient, error: Unavailable) -> Created:
        """What our request made although its answer says otherwise or was lost; else ``error``."""
        self._unsettled_until = time.monotonic() + UNSETTLED
        self.state = State.UNKNOWN
        assert self._identity and self._source
        others = self._source.others
        found = creation.seek(client, self._identity, others=others, until=self._unsettled_until)
        if found is None:
            raise error
        client.expect(found.id, since=self._asked_at)
        return Created(found, tuple(client.operations(found.id)))

    def _running(self) -> tuple[NeonClient, Branch, Source]:
        if self.state not in (State.CREATED, State.READY):
            raise Unavailable(f"the test Neon database branch is {self.state}", fix=AGAIN)
        assert self._client and self._branch and self._source
        return self._client, self._branch, self._source

    def _tell(self, words: str) -> None:
        with suppress(OSError, ValueError):  # a closed terminal is no reason to stop
            self._say(words)

    # Deleting it.

    def _close(self) -> None:
        if os.getpid() != self._process:  # a fork must not delete what its parent uses
            return
        while not self._closed:  # again, should the alarm ring just before the shield is up
            # If it rings later, that must not replace what the run came to.
            with suppress(DeadlineExceeded), lifetime.shielded():
                self._delete()
                if self._client:
                    self._client.__exit__()
                atexit.unregister(self._close)
                self._closed = True

    def _delete(self) -> None:
        """Afterwards the state is absent, gone or left over. Raises nothing."""
        if not self._client or not (self._branch or self._client.may_have_created):
            self.state = State.ABSENT
            return
        if self.state is State.REQUESTED:
            self._unsettled_until = time.monotonic() + UNSETTLED
        self.state = State.DELETING
        self._tell("deleting the test Neon database branch")
        budget = Deadline.after(self._deadline.at_most(CLEAN_UP) + CLEAN_UP)
        try:
            with NeonClient(self._settings, budget, tls=self._client.tls) as client:
                self.state = self._find_and_delete(client)
        except Exception as error:  # whatever it is, it must not hide why the run ended
            self.state = State.LEFT_OVER
            self.left_over = self._left_over(error)

    def _find_and_delete(self, client: NeonClient) -> State:
        assert self._identity and self._source
        others = self._source.others
        if self._branch is None:
            self._branch = creation.seek(client, self._identity, others=others, until=self._unsettled_until)
        if self._branch is None:
            return State.ABSENT
        client.expect(self._branch.id, since=self._asked_at)
        delete(client, self._branch)
        return State.GONE

    def _left_over(self, error: Exception) -> str:
        facts = self.facts
        which = f"{facts.name} ({facts.id})" if facts.id else f"{facts.name}, if it was made,"
        reason = error.message if isinstance(error, NeonHooksError) else type(error).__name__
        return (
            f"the test Neon database branch {which} could not be deleted: {reason}."
            f" It expires at {facts.expires_at}; `neon-hooks sweep` removes it sooner."
        )
