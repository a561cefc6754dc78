"""The client against a real socket: what it sends, what it repeats, what it says when it gives up."""

from __future__ import annotations

import socket
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.errors import DeadlineExceeded, NeonHooksError, Unavailable, UsageError
from neon_hooks.neon.access import base_url
from neon_hooks.neon.client import NeonClient
from neon_hooks.neon.refusals import AnswerLost, Refused
from tests.fix_neon import KEY, Reply

CREATED = {
    "branch": {"id": "br-new-1", "name": "n", "expires_at": "2026-11-21T12:00:00Z", "shiny": {"new": True}},
    "operations": [{"id": "op-1", "action": "create_branch", "status": "dreaming"}],
    "surprise": [],
}
LOCKED = {"code": "", "message": "project already has running conflicting operations", "request_id": "r-7"}


@pytest.fixture
def client(scripted):
    with NeonClient(scripted.settings(), Deadline.after(20)) as client:
        yield client


def error_of(act) -> NeonHooksError:
    with pytest.raises(NeonHooksError) as caught:
        act()
    assert KEY not in caught.value.message + caught.value.fix + repr(caught.value)
    return caught.value


def test_a_request_says_who_asks_and_for_which_project(scripted, client):
    scripted.replies = [Reply(body={"endpoints": []})]
    assert client.endpoints() == []
    request = scripted.requests[0]
    assert request.path == "/api/v2/projects/wild-sky-1/endpoints"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["User-Agent"].startswith("neon-hooks/")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(423, LOCKED),
        Reply(429, {"message": "slow down"}),
        Reply(503, {"message": "unavailable"}),
        Reply(422, {"message": "branch not ready yet"}),
    ],
)
def test_a_creation_is_repeated_after_a_refusal_that_is_only_for_now(scripted, client, reply):
    scripted.replies = [reply, reply, Reply(201, CREATED)]
    assert client.create_branch({}).branch.id == "br-new-1"
    assert len(scripted.requests) == 3


@pytest.mark.parametrize(
    "reply", [Reply(500, {}), Reply(524, "<html><title>524</title>"), Reply(drop=True), Reply(200, "<html>")]
)
def test_a_get_is_repeated_after_a_fault(scripted, client, reply):
    scripted.replies = [reply, reply, Reply(body={"endpoints": [{"host": "h"}]})]
    assert [endpoint.host for endpoint in client.endpoints()] == ["h"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, {}),
        Reply(524, "<html>"),
        Reply(drop=True),
        Reply(201, "<html>"),
        Reply(201, {"branch": {}}),
    ],
)
def test_a_creation_without_a_clear_answer_is_not_repeated(scripted, client, reply):
    scripted.replies = [reply, Reply(201, CREATED)]
    assert isinstance(error_of(lambda: client.create_branch({})), AnswerLost)
    assert len(scripted.requests) == 1
    assert client.may_have_created


def test_a_refusal_tells_that_nothing_was_made_but_a_taken_name_does_not(scripted, client):
    scripted.replies = [Reply(403, {"message": "no"})]
    error_of(lambda: client.create_branch({}))
    assert not client.may_have_created
    scripted.replies = [Reply(409, {"message": "branch already exists"})]
    error_of(lambda: client.create_branch({}))
    assert client.may_have_created


def test_a_404_about_what_was_just_made_is_repeated(scripted, client):
    missing = Reply(404, {"message": "branch not found"})
    scripted.replies = [Reply(201, CREATED), missing, missing, Reply(body={"databases": [{"name": "shop"}]})]
    client.create_branch({})
    assert [database.name for database in client.databases("br-new-1")] == ["shop"]


def test_a_404_about_another_neon_database_branch_is_final(scripted, client):
    scripted.replies = [Reply(201, CREATED), Reply(404, {"message": "branch not found"})]
    client.create_branch({})
    assert isinstance(error_of(lambda: client.databases("br-old-1")), Refused)


def seconds_form() -> str:
    return "1"


def date_form() -> str:
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True)


@pytest.mark.parametrize("form", [seconds_form, date_form])
def test_retry_after_is_waited_for(scripted, client, form):
    scripted.replies = [Reply(429, {}, {"Retry-After": form()}), Reply(body={})]
    client.endpoints()
    first, second = scripted.requests
    assert second.at - first.at >= 0.9


def test_a_retry_after_beyond_the_deadline_ends_the_wait_at_once(scripted):
    scripted.replies = [Reply(429, {"message": "slow down"}, {"Retry-After": "600"})]
    started = time.monotonic()
    with NeonClient(scripted.settings(), Deadline.after(60)) as client:
        error = error_of(client.endpoints)
    assert isinstance(error, DeadlineExceeded) and "slow down" in error.message
    assert time.monotonic() - started < 30


def test_a_lock_that_stays_is_waited_for_until_the_deadline(scripted):
    scripted.answer = lambda request: Reply(423, LOCKED)
    with NeonClient(scripted.settings(), Deadline.after(1)) as client:
        error = error_of(lambda: client.create_branch({}))
    assert isinstance(error, DeadlineExceeded)
    assert "conflicting operations" in error.message and "r-7" in error.message
    assert len(scripted.requests) > 1


def test_an_answer_that_does_not_come_ends_with_the_deadline(scripted):
    scripted.answer = lambda request: Reply(seconds=5)
    started = time.monotonic()
    with NeonClient(scripted.settings(), Deadline.after(0.5)) as client:
        assert isinstance(error_of(client.endpoints), DeadlineExceeded)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "status, code, says",
    [
        (401, "", "wrong or revoked"),
        (403, "", "may not do this"),
        (404, "", "project_id"),
        (409, "BRANCH_ALREADY_EXISTS", "stands in the way"),
        (412, "", "Security"),
        (422, "BRANCHES_LIMIT_EXCEEDED", "neon-hooks sweep"),
        (422, "ROOT_BRANCHES_LIMIT_EXCEEDED", "root"),
        (422, "ACTIVE_ENDPOINTS_LIMIT_EXCEEDED", "computes"),
        (402, "COMPUTE_TIME_EXCEEDED", "quota"),
        (422, "BRAND_NEW_LIMIT_EXCEEDED", "limit of the plan"),
        (418, "", "Console"),
        (302, "", "Console"),
    ],
)
def test_a_final_refusal_fails_at_once_with_a_remedy(scripted, client, status, code, says):
    scripted.replies = [Reply(status, {"message": "words of Neon", "code": code, "request_id": "r-9"})]
    error = error_of(lambda: client.create_branch({}))
    assert isinstance(error, Refused) and len(scripted.requests) == 1
    assert says in error.fix
    assert all(words in error.message for words in ("words of Neon", "r-9", str(status)))


@pytest.mark.parametrize(
    "reply, known",
    [
        (Reply(200, {"branch": {}, "operations": []}), True),
        (Reply(200, ""), True),
        (Reply(204), False),
        (Reply(404, {"message": "branch not found"}), False),
        (Reply(422, {"message": "branch does not exist"}), False),
    ],
)
def test_a_deletion_accepts_every_form_of_gone(scripted, client, reply, known):
    scripted.replies = [reply]
    assert (client.delete_branch("br-1") is not None) is known


@pytest.mark.parametrize("reply", [Reply(drop=True), Reply(500, {}), Reply(423, LOCKED), Reply(503, "")])
def test_a_deletion_is_repeated_until_it_is_answered(scripted, client, reply):
    scripted.replies = [reply, reply, Reply(200, {})]
    assert client.delete_branch("br-1") == []


def test_a_deletion_that_is_refused_says_so(scripted, client):
    scripted.replies = [Reply(422, {"message": "cannot delete protected branch"})]
    assert "protected" in error_of(lambda: client.delete_branch("br-1")).message


@pytest.mark.parametrize("branch_id", ["", "..", "br-1/../br-2", "br-1?x=1"])
def test_an_id_that_is_none_reaches_no_path(scripted, client, branch_id):
    error_of(lambda: client.delete_branch(branch_id))
    assert scripted.requests == []


def test_lists_are_read_to_their_last_page(scripted):
    pages = {None: ("a", "2"), "2": ("b", "3"), "3": ("c", "")}

    def page(request):
        name, following = pages[request.query.get("cursor")]
        note = {f"br-{name}": {"value": {"who": name}}}
        return Reply(
            body={"branches": [{"id": f"br-{name}"}], "annotations": note, "pagination": {"next": following}}
        )

    scripted.answer = page
    with NeonClient(scripted.settings(), Deadline.after(5), page_size=1) as client:
        found = client.branches(search="needle")
    assert [(branch.id, branch.annotation["who"]) for branch in found] == [
        ("br-a", "a"),
        ("br-b", "b"),
        ("br-c", "c"),
    ]
    assert {(r.query["limit"], r.query["search"]) for r in scripted.requests} == {("1", "needle")}


def test_a_cursor_that_leads_in_a_circle_ends_the_list(scripted, client):
    page = {"projects": [{"id": "p"}], "pagination": {"cursor": "same"}}
    scripted.answer = lambda request: Reply(body=page)
    assert client.projects() == ["p", "p"]


def test_a_connection_string_is_asked_for_with_all_its_parts(scripted, client):
    scripted.replies = [Reply(body={"uri": "postgresql://me:p%40ss@ep-1.neon.tech/shop?sslmode=require"})]
    dsn = client.connection("br-1", "shop", "me")
    assert (dsn.host, dsn.database, dsn.user, dsn.password) == ("ep-1.neon.tech", "shop", "me", "p@ss")
    assert scripted.requests[0].query == {
        "branch_id": "br-1", "database_name": "shop", "role_name": "me", "pooled": "false",
    }  # fmt: skip


@pytest.mark.parametrize("uri", ["", None, 7, "mysql://me:s3cret@h/d", "me:s3cret@h"])
def test_an_answer_that_is_no_connection_string_is_not_repeated_to_the_user(scripted, client, uri):
    scripted.replies = [Reply(body={"uri": uri})]
    assert "s3cret" not in error_of(lambda: client.connection("br-1", "shop", "me")).message


def test_an_error_that_quotes_the_key_is_shown_without_it(scripted, client):
    scripted.replies = [Reply(401, {"message": f"the key {KEY} is unknown"})]
    assert "***" in error_of(client.endpoints).message


def test_the_time_is_neons(scripted, client):
    scripted.replies = [Reply(body={})]
    client.endpoints()
    assert abs(client.now() - datetime.now(timezone.utc)) < timedelta(seconds=3)


def test_a_host_that_does_not_listen_is_named(scripted):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
        with NeonClient(scripted.settings(api_host=f"http://{host}"), Deadline.after(20)) as client:
            error = error_of(client.endpoints)
    assert host in error.message and "NEON_API_HOST" in error.fix


def test_a_host_without_a_name_is_named(scripted):
    settings = scripted.settings(api_host="https://neon.invalid/api/v2")
    with NeonClient(settings, Deadline.after(20)) as client:
        error = error_of(lambda: client.create_branch({}))
    assert "neon.invalid" in error.message and not isinstance(error, AnswerLost)
    assert not client.may_have_created


def test_a_server_without_tls_is_not_spoken_to(scripted):
    host = scripted.api_host.replace("http://", "https://")
    with NeonClient(scripted.settings(api_host=host), Deadline.after(20)) as client:
        error_of(client.endpoints)
    assert scripted.requests == []


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel", "tab\t"])
def test_a_key_that_cannot_be_one_is_refused_before_anything_is_sent(scripted, key):
    with pytest.raises(Unavailable, match="NEON_API_KEY") as caught:
        NeonClient(scripted.settings(api_key=key), Deadline.after(1))
    assert not key or key not in caught.value.message
    assert "console.neon.tech" in caught.value.fix and (key or "this project only" in caught.value.fix)


@pytest.mark.parametrize(
    "api_host, url",
    [
        ("https://console.neon.tech/api/v2", "https://console.neon.tech/api/v2"),
        ("https://console.neon.tech/api/v2/", "https://console.neon.tech/api/v2"),
        ("https://console.neon.tech", "https://console.neon.tech/api/v2"),
        ("console.neon.tech", "https://console.neon.tech/api/v2"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000/api/v2"),
        ("http://localhost:4000/neon", "http://localhost:4000/neon"),
        ("http://[::1]:4000", "http://[::1]:4000/api/v2"),
    ],
)
def test_the_api_host_is_taken_with_and_without_its_path(api_host, url):
    assert base_url(api_host) == url


@pytest.mark.parametrize(
    "api_host",
    [
        "http://neon.example",
        "ftp://x",
        "https://",
        "https://h:port",
        "https://me:pw@h",
        "https://h?q=1",
        "a b",
    ],
)
def test_an_api_host_that_would_not_do_is_refused(api_host):
    with pytest.raises(UsageError, match="NEON_API_HOST") as caught:
        base_url(api_host)
    assert "pw" not in caught.value.message
