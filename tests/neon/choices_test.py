"""Parent, project, database and role: found or refused, never guessed."""

from __future__ import annotations

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.neon.choices import choose_parent, find_project, the_one, with_project
from neon_hooks.neon.client import NeonClient
from neon_hooks.neon.models import Branch
from tests.fix_neon import Reply

MAIN = Branch("br-cool-1", "production", default=True)
DEV = Branch("br-dev-1", "dev", "br-cool-1")
TRICK = Branch("br-trick-1", "br-dev-1", "br-cool-1")
EXPIRING = Branch("br-old-1", "preview", "br-cool-1", expires_at="2026-11-21T12:00:00Z")
ALL = [DEV, TRICK, MAIN, EXPIRING]


@pytest.mark.parametrize(
    "wanted, found", [("", MAIN), ("production", MAIN), ("br-cool-1", MAIN), ("dev", DEV)]
)
def test_a_parent_is_the_default_one_or_chosen_by_id_or_name(wanted, found):
    source = choose_parent(ALL, wanted)
    assert source.parent == found
    assert source.others == {branch.id for branch in ALL}


def test_an_id_wins_over_the_same_name():
    assert choose_parent(ALL, "br-dev-1").parent == DEV


@pytest.mark.parametrize("wanted", ["main", "Production", "prod", "br-none"])
def test_an_unknown_parent_is_refused_with_the_names_there_are(wanted):
    with pytest.raises(UsageError) as caught:
        choose_parent(ALL, wanted)
    assert "production" in caught.value.fix and wanted in caught.value.message


def test_many_names_are_not_all_listed():
    with pytest.raises(UsageError) as caught:
        choose_parent([MAIN, *(Branch(f"br-{n}", f"dev-{n}") for n in range(50))], "nope")
    assert caught.value.fix.count("dev-") < 10 and "..." in caught.value.fix


def test_a_parent_that_expires_is_refused():
    with pytest.raises(UsageError, match="expires"):
        choose_parent(ALL, "preview")


def test_without_a_default_one_nothing_is_guessed():
    with pytest.raises(Unavailable):
        choose_parent([DEV], "dev")


@pytest.mark.parametrize("wanted, names, found", [("", ["a"], "a"), ("b", ["a", "b"], "b")])
def test_the_only_one_or_the_wanted_one_is_taken(wanted, names, found):
    assert the_one("database", "database", wanted, names) == found


@pytest.mark.parametrize("wanted, names", [("", ["a", "b"]), ("c", ["a", "b"]), ("", []), ("a", [])])
def test_a_choice_is_left_to_the_user(wanted, names):
    with pytest.raises(UsageError) as caught:
        the_one("database", "database", wanted, names, hint="x owns it")
    assert all(name in caught.value.fix for name in names)


def personal_key(request):
    """A personal key's view: two organizations, the project in the second one."""
    if request.path == "/api/v2/projects":
        org = request.query.get("org_id")
        if not org:
            return Reply(400, {"message": "org_id is required"})
        return Reply(body={"projects": [{"id": f"{org}-p1"}, {"id": f"{org}-p2"}]})
    if request.path == "/api/v2/users/me/organizations":
        return Reply(body={"organizations": [{"id": "org-a"}, {"id": "org-b"}]})
    project = request.path.split("/")[4]
    return Reply(body={"endpoints": [{"host": f"ep-{project}.c-2.neon.tech", "branch_id": "br-1"}]})


@pytest.mark.parametrize(
    "connection_string, project",
    [
        ("postgresql://u:p@ep-org-b-p1.c-2.neon.tech/shop", "org-b-p1"),
        ("postgres://u:p@EP-org-b-p2-pooler.c-2.neon.tech/shop?sslmode=require", "org-b-p2"),
        ("postgresql://u:p@localhost/shop", ""),
        ("postgresql://u:p@ep-org-b-p1.c-2.neon.tech:6000/shop", ""),
        ("sqlite:///x.db", ""),
        ("", ""),
    ],
)
def test_a_project_is_found_by_the_host_of_a_connection_string(scripted, connection_string, project):
    scripted.answer = personal_key
    with NeonClient(scripted.settings(project_id=""), Deadline.after(10)) as client:
        assert find_project(client, connection_string) == project
    assert {request.method for request in scripted.requests} <= {"GET"}


def test_a_wrong_key_is_said_and_not_taken_for_a_missing_organization(scripted):
    scripted.answer = lambda request: Reply(401, {"message": "no"})
    with NeonClient(scripted.settings(project_id=""), Deadline.after(10)) as client:
        with pytest.raises(Unavailable, match="401"):
            find_project(client, "postgresql://u:p@ep-1.neon.tech/shop")
    assert len(scripted.requests) == 1


def test_a_project_that_is_set_is_not_looked_for(scripted):
    settings = scripted.settings(project_id="wild-sky-1")
    with NeonClient(settings, Deadline.after(10)) as client:
        assert with_project(settings, client, "postgresql://u:p@ep-1.neon.tech/shop") == settings
    assert scripted.requests == []


@pytest.mark.parametrize("project_id", ["", "My Project", "https://console.neon.tech/app/projects/x", "../x"])
def test_a_project_that_is_none_is_asked_for(scripted, project_id):
    settings = scripted.settings(project_id=project_id)
    with NeonClient(settings, Deadline.after(10)) as client, pytest.raises(UsageError) as caught:
        with_project(settings, client, "")
    assert "NEON_PROJECT_ID" in caught.value.fix
