"""The Neon API v2 as typed methods: authentication, deadline, retries, errors; and nothing about policy.

The only module that imports httpx. No method creates a Neon project, changes a Neon database branch or
touches a compute: what is not here cannot happen by mistake. TLS certificates are always checked and
redirects never followed, as both would hand the key to a stranger.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.neon import answers, refusals, retries
from neon_hooks.neon.access import ID, LOOPBACK, base_url, usable_key, user_agent
from neon_hooks.neon.answers import NO_ANSWER, NOT_SENT, Answer
from neon_hooks.neon.models import Branch, Created, Database, Endpoint, Json, Operation, Role
from neon_hooks.neon.models import items, part, text
from neon_hooks.redact import Redactor
from neon_hooks.settings import Settings

ANSWER_SECONDS = 30.0
CONNECT_SECONDS = 10.0
FRESH_SECONDS = 10.0  # Neon's own tests repeat a 404 after a creation ten times, a second apart
CALLED = {"branches": "Neon database branches"}  # never just branches: git has some, too
PAGE_SIZE = 400  # the most that GET /projects allows
# 409 says that the name is taken: it can be our own creation, applied although it was said to have failed.
NOTHING_MADE = frozenset((*range(300, 500), 503)) - {409}

T = TypeVar("T")


class NeonClient:
    """One project as one key sees it. Use it as a context manager; all waiting is bounded by ``deadline``.

    Every method raises Unavailable (DeadlineExceeded, Refused, AnswerLost are its children).
    ``may_have_created`` becomes True when a creation leaves this machine, and False again only when an
    answer says that nothing was made. ``tls`` of one client can be given to the next: reading all the
    world's certificates takes 50 ms.
    """

    def __init__(
        self,
        settings: Settings,
        deadline: Deadline,
        *,
        page_size: int = PAGE_SIZE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.deadline = deadline
        self.project_id = settings.project_id
        self.may_have_created = False
        key = usable_key(settings.api_key)
        self._masked = Redactor([key])
        self._page_size = page_size
        self._fresh: dict[str, float] = {}
        self._skew = timedelta()
        base = base_url(settings.api_host)
        self.host = urlsplit(base).netloc.rpartition("@")[2]
        self.tls = tls or _tls(base)
        self._http = httpx.Client(
            verify=self.tls,
            base_url=base,
            headers={
                "Authorization": f"Bearer {key}",
                "Accept": "application/json",
                "User-Agent": user_agent(),
            },
            # A proxy of the environment cannot reach our own machine.
            trust_env=urlsplit(base).hostname not in LOOPBACK,
        )

    def __enter__(self) -> NeonClient:
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.close()

    def now(self) -> datetime:
        """The time by Neon's clock, as far as its answers told (their Date header)."""
        return datetime.now(timezone.utc) + self._skew

    def expect(self, *ids: str, since: float) -> None:
        """These were made at ``since`` (monotonic clock): for a while a 404 about them means nothing."""
        self._fresh.update(dict.fromkeys(filter(None, ids), since + FRESH_SECONDS))

    @property
    def _project(self) -> str:
        return f"/projects/{quote(self.project_id, safe='')}"

    # What the account has.

    def organizations(self) -> list[str]:
        """The ids of the organizations that the key belongs to."""
        body = self._get("/users/me/organizations", to="list the organizations")
        return [text(item, "id") for item in items(body, "organizations")]

    def projects(self, org_id: str = "") -> list[str]:
        """The ids of the visible projects. A personal key must name the organization."""
        params = {"org_id": org_id} if org_id else {}
        return self._pages("/projects", "projects", "cursor", lambda item, _: text(item, "id"), params)

    # What the project has.

    def branches(self, search: str = "") -> list[Branch]:
        """Neon database branches with their annotations; ``search`` is a part of the name or id."""

        def branch(item: Json, body: Json) -> Branch:
            return Branch.from_json(item, part(part(body, "annotations"), text(item, "id")))

        params = {"search": search} if search else {}
        return self._pages(f"{self._project}/branches", "branches", "next", branch, params)

    def endpoints(self, project_id: str = "") -> list[Endpoint]:
        """Every compute of the project (by default the settings' one); the API has no pages here."""
        project = f"/projects/{quote(project_id, safe='')}" if project_id else self._project
        body = self._get(f"{project}/endpoints", to="list the computes")
        return [Endpoint.from_json(item) for item in items(body, "endpoints")]

    def databases(self, branch_id: str) -> list[Database]:
        body = self._get(self._branch(branch_id, "/databases"), to="list the databases")
        return [Database.from_json(item) for item in items(body, "databases")]

    def roles(self, branch_id: str) -> list[Role]:
        body = self._get(self._branch(branch_id, "/roles"), to="list the roles")
        return [Role.from_json(item) for item in items(body, "roles")]

    def connection(self, branch_id: str, database: str, role: str) -> Dsn:
        """The direct (not pooled) connection string.

        Every part is named: without ``branch_id`` Neon would answer with the default branch's.
        """
        params = {"branch_id": branch_id, "database_name": database, "role_name": role, "pooled": "false"}
        to = f"give the connection string of database {database!r} for role {role!r}"
        body = self._get(f"{self._project}/connection_uri", to=to, params=params)
        try:
            return Dsn.parse(text(body, "uri"))
        except UsageError:
            raise Unavailable(f"Neon did not {to}", fix=refusals.AGAIN) from None

    def operation(self, operation_id: str) -> Operation:
        path = f"{self._project}/operations/{quote(operation_id, safe='')}"
        return Operation.from_json(part(self._get(path, to="tell how an operation goes"), "operation"))

    def operations(self, branch_id: str) -> list[Operation]:
        """The newest operations on one Neon database branch, oldest first."""
        body = self._get(f"{self._project}/operations", to="list the operations", params={"limit": "100"})
        found = [Operation.from_json(item) for item in items(body, "operations")]
        return [operation for operation in reversed(found) if operation.branch_id == branch_id]

    def anonymized_state(self, branch_id: str) -> tuple[str, str]:
        """The state (initialized, anonymizing, anonymized, error, ...) and what Neon says about it."""
        body = self._get(self._branch(branch_id, "/anonymized_status"), to="tell how the anonymization goes")
        return text(body, "state"), answers.one_line(text(body, "status_message"))

    # The two requests that change something.

    def create_branch(self, body: Json, *, anonymized: bool = False) -> Created:
        """Ask for a new Neon database branch; its operations go on after this returns.

        Raises AnswerLost when it may or may not have been made.
        """
        path = "/branch_anonymized" if anonymized else "/branches"
        answer = self._call("POST", self._project + path, to="create a test Neon database branch", body=body)
        created = Created.from_json(answer.body or {})
        if not created.branch.id:
            raise refusals.AnswerLost("Neon's answer to the creation has no id", fix=refusals.AGAIN)
        operations = (operation.id for operation in created.operations)
        self.expect(created.branch.id, *operations, since=time.monotonic())
        return created

    def delete_branch(self, branch_id: str) -> list[Operation] | None:
        """The operations that carry the deletion out, None when Neon knows no such Neon database branch."""
        to = f"delete the Neon database branch {branch_id}"
        try:
            answer = self._call("DELETE", self._branch(branch_id), to=to)
        except refusals.Refused as error:
            if error.gone:
                return None
            raise
        if answer.status == 204:
            return None
        return [Operation.from_json(item) for item in items(answer.body or {}, "operations")]

    # How.

    def _branch(self, branch_id: str, rest: str = "") -> str:
        if not ID.fullmatch(branch_id):  # an empty id would turn a request about one into one about all
            raise Unavailable(f"{branch_id!r} is no id of a Neon database branch", fix=refusals.AGAIN)
        return f"{self._project}/branches/{branch_id}{rest}"

    def _pages(
        self, path: str, key: str, cursor: str, make: Callable[[Json, Json], T], params: Mapping[str, str]
    ) -> list[T]:
        """Every item of a list. ``cursor`` is the field of `pagination` that leads on: lists differ in it."""
        found: list[T] = []
        seen: set[str] = set()
        query = {**params, "limit": str(self._page_size)}
        while True:
            body = self._get(path, to=f"list the {CALLED.get(key, key)}", params=query)
            page = items(body, key)
            found += [make(item, body) for item in page]
            following = text(part(body, "pagination"), cursor)
            if not page or not following or following in seen:
                return found
            seen.add(following)
            query = {**query, "cursor": following}

    def _get(self, path: str, *, to: str, params: Mapping[str, str] | None = None) -> Json:
        return self._call("GET", path, to=to, params=params).body or {}

    def _call(
        self,
        method: str,
        path: str,
        *,
        to: str,
        params: Mapping[str, str] | None = None,
        body: Json | None = None,
    ) -> Answer:
        about = " ".join((path, *(params or {}).values()))
        fresh = max((until for name, until in self._fresh.items() if name in about), default=0.0)
        attempt = 1
        while True:
            self.deadline.check(f"Neon to {to}")
            answer = self._send(method, path, params, body)
            if answer.good and (answer.body is not None or method == "DELETE"):
                return answer
            again = retries.worth_another(method, answer, attempt=attempt, fresh=time.monotonic() < fresh)
            if not again:
                raise refusals.error(to, answer, method=method, host=self.host)
            pause = retries.pause(answer, attempt=attempt)
            if pause >= self.deadline.remaining():
                raise self.deadline.exceeded(f"Neon to {to} ({answer.reason})")
            time.sleep(pause)
            attempt += 1

    def _send(self, method: str, path: str, params: Mapping[str, str] | None, body: Json | None) -> Answer:
        """One attempt. Network errors become answers, so that one table decides about all of them."""
        sent = False

        def trace(event: str, info: Mapping[str, Any]) -> None:
            # https://www.python-httpx.org/advanced/extensions/#trace
            nonlocal sent
            if event.endswith("send_request_headers.started"):
                sent = True
                self.may_have_created = self.may_have_created or method == "POST"

        left = self.deadline.at_most
        timeout = httpx.Timeout(left(ANSWER_SECONDS), connect=left(CONNECT_SECONDS))
        try:
            response = self._http.request(
                method, path, params=params, json=body, timeout=timeout, extensions={"trace": trace}
            )
        except httpx.RequestError as error:
            words = answers.one_line(str(error)) or type(error).__name__
            return Answer(NO_ANSWER if sent else NOT_SENT, message=self._masked(words))
        answer = answers.read(response.status_code, response.headers, response.text)
        answer = replace(answer, message=self._masked(answer.message))
        if answer.date:
            self._skew = answer.date - datetime.now(timezone.utc)
        if method == "POST" and answer.status in NOTHING_MADE:
            self.may_have_created = False
        if answer.good and answer.body is None and method == "GET":
            return Answer(NO_ANSWER, message=f"the answer ({answer.status}) is not JSON")
        return answer


def _tls(base: str) -> ssl.SSLContext:
    """What a certificate is checked against; nothing at all is trusted where none is expected."""
    if base.startswith("https:"):
        return httpx.create_ssl_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
