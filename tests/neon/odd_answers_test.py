"""The life of a test Neon database branch where Neon behaves as it never should: fail closed, delete, say so.

What Neon may do by its own rules is tested with the emulator (branch_test.py).
"""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.errors import NeonHooksError, Unavailable
from neon_hooks.neon import branch as life
from tests.fix_neon import Reply

SHA = "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"
PROJECT = "/api/v2/projects/wild-sky-1"
MAIN = {"id": "br-main", "name": "main", "default": True, "protected": False}
MAIN_HOST, OUR_HOST = "ep-main-1.neon.tech", "ep-ours-1.neon.tech"


class OddNeon:
    """One test Neon database branch at most. ``changed`` overrides fields of the answer to its creation."""

    def __init__(self) -> None:
        self.changed = {}
        self.made = None
        self.note = {}
        self.uri = f"postgresql://me:s3cret@{OUR_HOST}/shop?sslmode=require"
        self.endpoints = [endpoint("br-main", MAIN_HOST), endpoint("br-ours", OUR_HOST)]
        self.deletions = []  # replies that come before the real one
        self.listed_after_deletion = False

    def __call__(self, request):
        name = request.path.removeprefix(PROJECT)
        for pattern, answer in (
            (r"/branches", self.index if request.method == "GET" else self.create),
            (r"/branches/br-ours", self.delete),
            (r"/branches/[^/]+/databases", lambda r: {"databases": [{"name": "shop", "owner_name": "me"}]}),
            (r"/branches/[^/]+/roles", lambda r: {"roles": [{"name": "me"}]}),
            (r"/endpoints", lambda r: {"endpoints": self.endpoints}),
            (r"/connection_uri", lambda r: {"uri": self.uri}),
            (r"/operations", lambda r: {"operations": []}),
        ):
            if re.fullmatch(pattern, name):
                reply = answer(request)
                return reply if isinstance(reply, Reply) else Reply(body=reply)
        return Reply(404, {"message": f"nothing at {name}"})

    def index(self, request):
        found = [MAIN] + ([self.made] if self.made else [])
        return {"branches": found, "annotations": {"br-ours": {"value": self.note}}}

    def create(self, request):
        wish = request.body["branch"]
        self.note = request.body["annotation_value"]
        self.made = {**wish, "id": "br-ours", "default": False, "protected": False}
        return Reply(201, {"branch": {**self.made, **self.changed}, "operations": []})

    def delete(self, request):
        if self.deletions:
            return self.deletions.pop(0)
        if not self.listed_after_deletion:
            self.made = None
        return {"branch": {}, "operations": []}


def endpoint(branch_id: str, host: str) -> dict:
    return {"id": host.partition(".")[0], "host": host, "branch_id": branch_id, "type": "read_write"}


@pytest.fixture
def neon(scripted):
    scripted.answer = OddNeon()
    return scripted.answer


@pytest.fixture
def start(scripted, neon):
    def start(seconds=10.0, **changes):
        settings = scripted.settings(**changes)
        said = []
        return life.test_neon_branch(
            settings, git_sha=SHA, git_ref="main", deadline=Deadline.after(seconds), say=said.append
        )

    return start


def deleted(scripted) -> list[str]:
    return [request.path.removeprefix(PROJECT) for request in scripted.requests if request.method == "DELETE"]


def test_the_usual_life(scripted, neon, start):
    with start() as branch:
        dsn = branch.dsn()
    assert (dsn.host, dsn.user, dsn.database) == (OUR_HOST, "me", "shop")
    assert branch.facts.deleted and not branch.left_over and neon.made is None
    assert deleted(scripted) == ["/branches/br-ours"]


@pytest.mark.parametrize("changed", [{"expires_at": ""}, {"expires_at": None}, {"parent_id": "br-other"}])
def test_what_is_not_what_we_asked_for_is_deleted_at_once(scripted, neon, start, changed):
    neon.changed = changed
    with pytest.raises(Unavailable), start():
        raise AssertionError("the block must not run")
    assert neon.made is None


def test_an_answer_that_names_an_old_one_never_leads_to_its_deletion(scripted, neon, start):
    neon.changed = {"id": "br-main"}
    with pytest.raises(Unavailable, match="existed before"), start():
        raise AssertionError("the block must not run")
    assert deleted(scripted) == ["/branches/br-ours"]  # found by its name; br-main was not touched


@pytest.mark.parametrize(
    "change",
    [
        {"uri": f"postgresql://me:s3cret@{MAIN_HOST}/shop"},
        {"uri": f"postgresql://me:s3cret@{OUR_HOST}/shop?host={MAIN_HOST}"},
        {"uri": f"postgresql://me:s3cret@{OUR_HOST.replace('ep-ours-1', 'ep-ours-1-pooler')}/shop"},
        {"uri": f"postgresql://me:s3cret@{OUR_HOST}/other"},
        {"uri": f"postgresql://you:s3cret@{OUR_HOST}/shop"},
        {"uri": "nonsense"},
        {"endpoints": []},
        {"endpoints": [endpoint("br-main", OUR_HOST)]},
        {"endpoints": [endpoint("br-main", OUR_HOST), endpoint("br-ours", OUR_HOST)]},
    ],
)
def test_a_connection_string_that_leaves_a_doubt_is_not_handed_out(scripted, neon, start, change):
    vars(neon).update(change)
    with pytest.raises(Unavailable) as caught, start() as branch:
        branch.dsn()
    assert "s3cret" not in caught.value.message
    assert neon.made is None


@pytest.mark.parametrize("reply", [Reply(204), Reply(404, {"message": "branch not found"})])
def test_there_is_none_is_believed_only_when_the_list_agrees(scripted, neon, start, reply):
    neon.deletions = [reply, replace(reply)]
    with start() as branch:
        pass
    assert branch.facts.deleted and neon.made is None


def test_a_deletion_that_never_succeeds_is_said_and_hides_nothing(scripted, neon, start):
    neon.deletions = [Reply(422, {"message": "cannot delete protected branch"})]
    with pytest.raises(ZeroDivisionError), start() as branch:
        1 / 0
    assert not branch.facts.deleted
    assert branch.facts.name in branch.left_over and branch.facts.expires_at in branch.left_over
    assert "protected" in branch.left_over and "neon-hooks sweep" in branch.left_over


def test_a_deletion_has_its_own_time_after_the_deadline(scripted, neon, start):
    locked = {"message": "project already has running conflicting operations"}
    neon.deletions = [Reply(423, locked) for _ in range(4)]
    with start(seconds=0.5) as branch:
        time.sleep(0.6)
    assert branch.facts.deleted and not branch.left_over


def test_a_creation_that_was_carried_out_and_failed_is_adopted(scripted, neon, start):
    really = neon.create
    neon.create = lambda request: (really(request), Reply(500, {"message": "oops"}))[1]
    with start() as branch:
        assert branch.facts.id == "br-ours" and branch.dsn().host == OUR_HOST
    assert neon.made is None
    assert [request.method for request in scripted.requests].count("POST") == 1


def test_a_creation_that_failed_is_not_repeated(scripted, neon, start):
    neon.create = lambda request: Reply(500, {"message": "oops"})
    with pytest.raises(Unavailable, match="oops"), start():
        raise AssertionError("the block must not run")
    assert [request.method for request in scripted.requests].count("POST") == 1
    assert deleted(scripted) == []


def test_a_name_that_someone_else_took_is_not_adopted(scripted, neon, start):
    def taken(request):
        neon.made = {**request.body["branch"], "id": "br-ours", "default": False, "protected": False}
        neon.note = {"tool": "neon-hooks", "neon-hooks-run": "of somebody else"}
        return Reply(409, {"code": "BRANCH_ALREADY_EXISTS", "message": "branch already exists"})

    neon.create = taken
    with pytest.raises(Unavailable, match="already exists"), start():
        raise AssertionError("the block must not run")
    assert neon.made and deleted(scripted) == []


def test_a_talk_that_fails_does_not_keep_the_branch(scripted, neon):
    def say(words):
        raise BrokenPipeError

    settings = scripted.settings()
    started = life.test_neon_branch(
        settings, git_sha=SHA, git_ref="main", deadline=Deadline.after(10), say=say
    )
    with started as branch:
        branch.dsn()
    assert branch.facts.deleted


def test_nothing_is_handed_out_before_or_after_the_block(neon, start):
    branch = start()
    with pytest.raises(NeonHooksError):
        branch.dsn()
    with branch:
        pass
    with pytest.raises(NeonHooksError):
        branch.dsn()
