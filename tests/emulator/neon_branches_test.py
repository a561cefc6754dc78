"""Neon database branches at the emulator: what the API says of them, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from neon_hooks.emulator.model import shown
from tests.fix_emulator import Api, opened, query

SOON = shown(datetime.now(UTC) + timedelta(hours=4))


def test_a_project_begins_with_main_as_its_default(api: Api) -> None:
    found = api.get("~/branches")["branches"]
    assert [(item["name"], item["default"], item["current_state"]) for item in found] == [
        ("main", True, "ready")
    ]
    assert "parent_id" not in found[0]


def test_a_creation_answers_before_it_is_done(api: Api) -> None:
    body = {
        "branch": {"name": "early"},
        "endpoints": [{"type": "read_write"}],
        "annotation_value": {"a": "b"},
    }
    made = api.post("~/branches", body)
    assert (made["branch"]["current_state"], made["branch"]["pending_state"]) == ("init", "ready")
    assert (made["endpoints"][0]["current_state"], made["endpoints"][0]["pending_state"]) == (
        "init",
        "active",
    )
    assert [(item["action"], item["status"]) for item in made["operations"]] == [
        ("create_branch", "running"),
        ("start_compute", "scheduling"),
    ]
    api.settle()
    found = api.get(f"~/branches/{made['branch']['id']}")
    assert found["branch"]["current_state"] == "ready" and "pending_state" not in found["branch"]
    assert found["annotation"]["value"] == {"a": "b"}
    assert api.get("~/branches")["annotations"][made["branch"]["id"]]["value"] == {"a": "b"}
    endpoint = api.get(f"~/branches/{made['branch']['id']}/endpoints")["endpoints"][0]
    assert endpoint["current_state"] == "active"


def test_without_a_body_a_nameless_child_of_main_without_a_compute_is_made(api: Api) -> None:
    made = api.request("POST", "~/branches").json()
    api.settle()
    assert made["branch"]["name"] == made["branch"]["id"]
    assert made["branch"]["parent_id"] == next(
        item["id"] for item in api.emulator.neon_branches() if item["default"]
    )
    assert made["endpoints"] == [] and "connection_uris" not in made
    assert api.refused(
        "GET",
        "~/connection_uri",
        branch_id=made["branch"]["id"],
        database_name="neondb",
        role_name="neondb_owner",
    ) == (404, "endpoint not found")


def test_names_are_unique(api: Api) -> None:
    api.create("same", compute=False)
    response = api.request("POST", "~/branches", {"branch": {"name": "same"}})
    assert response.status_code == 409
    assert response.json()["code"] == "BRANCH_ALREADY_EXISTS"
    assert response.json()["message"] == 'branch already exists; branch_name:"same"'


def test_the_limit_counts_every_neon_branch(special: Callable[..., Api]) -> None:
    api = special(branch_limit=2)
    made = api.create("one", compute=False)
    response = api.request("POST", "~/branches", {"branch": {"name": "two"}})
    assert (response.status_code, response.json()["code"]) == (422, "BRANCHES_LIMIT_EXCEEDED")
    api.remove(made["branch"]["id"])
    api.create("two", compute=False)


WRONG_BODIES = {
    "an empty name": {"branch": {"name": ""}},
    "a long name": {"branch": {"name": "x" * 257}},
    "a name that is a number": {"branch": {"name": 1}},
    "no object": {"branch": "x"},
    "two computes": {"endpoints": [{"type": "read_write"}, {"type": "read_write"}]},
    "a compute without a type": {"endpoints": [{}]},
    "a read replica": {"endpoints": [{"type": "read_only"}]},
    "a tiny compute": {"endpoints": [{"type": "read_write", "autoscaling_limit_min_cu": 0.1}]},
    "an early suspension": {"endpoints": [{"type": "read_write", "suspend_timeout_seconds": 5}]},
    "an unknown source": {"branch": {"init_source": "import"}},
    "an LSN": {"branch": {"parent_lsn": "0/1"}},
    "too many annotations": {"annotation_value": {str(number): "" for number in range(51)}},
    "an annotation that is no text": {"annotation_value": {"a": 1}},
    "an expiry without a zone": {"branch": {"expires_at": "2999-01-01T00:00:00"}},
    "an expiry with two zones": {"branch": {"expires_at": "2999-01-01T00:00:00Z-05:00"}},
    "an expiry on no day": {"branch": {"expires_at": "2999-02-31T00:00:00Z"}},
    "an expiry in the past": {"branch": {"expires_at": "2020-01-01T00:00:00Z"}},
    "an expiry too far away": {"branch": {"expires_at": "2999-01-01T00:00:00Z"}},
    "an expiry that is a number": {"branch": {"expires_at": 4102444800}},
}


@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES)
def test_a_wrong_request_is_refused_and_nothing_is_made(api: Api, body: Any) -> None:
    status, _ = api.refused("POST", "~/branches", body)
    assert status == 400
    assert len(api.emulator.neon_branches()) == 1


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(api: Api, content: bytes) -> None:
    url = f"{api.emulator.api_host}{api.project}/branches"
    assert api.http.post(url, content=content).status_code == 400


def test_an_unknown_parent_is_not_found(api: Api) -> None:
    assert api.refused("POST", "~/branches", {"branch": {"parent_id": "br-no"}}) == (404, "branch not found")


@pytest.mark.parametrize("offset", ["+02:00", "-05:00", "+00:00"])
def test_an_expiry_is_shown_in_utc_and_whole_seconds(api: Api, offset: str) -> None:
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=30)
    hours = int(offset[:3])
    local = (moment + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.987654")
    made = api.create("late", compute=False, expires_at=local + offset)["branch"]
    assert made["expires_at"] == shown(moment)
    assert 107_990 <= made["ttl_interval_seconds"] <= 108_000


def test_an_expiry_can_be_changed_and_removed(api: Api) -> None:
    path = f"~/branches/{api.create('x', compute=False, expires_at=SOON)['branch']['id']}"
    later = shown(datetime.now(UTC) + timedelta(days=29))
    assert api.patch(path, {"branch": {"expires_at": later}})["branch"]["expires_at"] == later
    assert api.patch(path, {"branch": {"name": "y"}})["branch"]["expires_at"] == later
    changed = api.patch(path, {"branch": {"expires_at": None}})["branch"]
    assert "expires_at" not in changed and "ttl_interval_seconds" not in changed


def test_an_expiring_one_has_no_children_no_protection_and_is_no_default(api: Api) -> None:
    path = f"~/branches/{api.create('x', compute=False, expires_at=SOON)['branch']['id']}"
    parent_id = path.rpartition("/")[2]
    assert api.refused("POST", "~/branches", {"branch": {"parent_id": parent_id}})[0] == 422
    assert api.refused("PATCH", path, {"branch": {"protected": True}})[0] == 422
    assert api.refused("POST", path + "/set_as_default")[0] == 422
    assert api.refused("POST", "~/branches", {"branch": {"expires_at": SOON, "protected": True}})[0] == 422


def test_default_protected_and_parents_cannot_expire(api: Api) -> None:
    parent = api.create("parent", compute=False)["branch"]["id"]
    api.create("child", compute=False, parent_id=parent)
    protected = api.create("protected", compute=False, protected=True)["branch"]["id"]
    main = next(item["id"] for item in api.emulator.neon_branches() if item["default"])
    for neon_branch_id in (parent, protected, main):
        assert (
            api.refused("PATCH", f"~/branches/{neon_branch_id}", {"branch": {"expires_at": SOON}})[0] == 422
        )


def test_default_protected_and_parents_cannot_be_deleted(api: Api) -> None:
    parent = api.create("parent", compute=False)["branch"]["id"]
    api.create("child", compute=False, parent_id=parent)
    protected = api.create("protected", compute=False, protected=True)["branch"]["id"]
    main = next(item["id"] for item in api.emulator.neon_branches() if item["default"])
    messages = [api.refused("DELETE", f"~/branches/{found}") for found in (parent, protected, main)]
    assert [status for status, _ in messages] == [422, 422, 422]
    assert messages[1][1] == "cannot delete protected branch"


def test_a_deletion_is_asynchronous_and_then_final(api: Api) -> None:
    made = api.create("gone")["branch"]["id"]
    deleted = api.delete(f"~/branches/{made}")
    assert [item["action"] for item in deleted["operations"]] == ["suspend_compute", "delete_timeline"]
    api.settle()
    assert api.refused("GET", f"~/branches/{made}") == (404, "branch not found")
    assert api.request("DELETE", f"~/branches/{made}").status_code == 204
    assert all(item["id"] != made for item in api.get("~/branches")["branches"])
    found = next(
        item for item in api.get("~/branches", include_deleted="true")["branches"] if item["id"] == made
    )
    assert found["recovery"]["deletion_method"] == "user"


def test_a_list_is_searched_sorted_and_paged(api: Api) -> None:
    made = [api.create(f"page-{letter}", compute=False)["branch"]["id"] for letter in "bca"]
    listed = api.get("~/branches", search="page-", sort_by="name", sort_order="asc", limit=2)
    assert [item["name"] for item in listed["branches"]] == ["page-a", "page-b"]
    rest = api.get(
        "~/branches",
        search="page-",
        sort_by="name",
        sort_order="asc",
        limit=2,
        cursor=listed["pagination"]["next"],
    )
    assert [item["name"] for item in rest["branches"]] == ["page-c"]
    assert "next" not in rest["pagination"]
    assert [item["id"] for item in api.get("~/branches", search=made[1])["branches"]] == [made[1]]
    assert api.get("~/branches/count", search="page-") == {"count": 3}
    assert [item["name"] for item in api.get("~/branches")["branches"]][:3] == ["page-a", "page-c", "page-b"]


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": "x"}, {"sort_by": "id"}, {"cursor": "no"}])
def test_a_wrong_parameter_of_a_list_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    assert api.refused("GET", "~/branches", **wrong)[0] == 400


def test_another_one_can_become_the_default(special: Callable[..., Api]) -> None:
    api = special()
    made = api.create("next")["branch"]["id"]
    api.post(f"~/branches/{made}/set_as_default")
    assert [item["name"] for item in api.get("~/branches")["branches"] if item["default"]] == ["next"]
    uri = api.get("~/connection_uri", database_name="neondb", role_name="neondb_owner")["uri"]
    assert f":{api.get(f'~/branches/{made}/endpoints')['endpoints'][0]['port']}/" in uri


def test_the_connection_uri_is_the_default_ones_unless_one_is_named(api: Api) -> None:
    made = api.create("named")
    login = {"database_name": "neondb", "role_name": "neondb_owner"}
    assert api.get("~/connection_uri", **login)["uri"] == api.emulator.main.uri()
    uri = api.get("~/connection_uri", branch_id=made["branch"]["id"], **login)["uri"]
    assert uri == made["connection_uris"][0]["connection_uri"] != api.emulator.main.uri()
    assert api.get("~/connection_uri", endpoint_id=made["endpoints"][0]["id"], **login)["uri"] == uri


@pytest.mark.parametrize(
    ("status", "parameters"),
    [
        (400, {"database_name": "neondb"}),
        (400, {"role_name": "neondb_owner"}),
        (400, {"database_name": "neondb", "role_name": "neondb_owner", "pooled": "true"}),
        (404, {"database_name": "no", "role_name": "neondb_owner"}),
        (404, {"database_name": "neondb", "role_name": "no"}),
        (404, {"database_name": "neondb", "role_name": "neondb_owner", "branch_id": "br-no"}),
        (404, {"database_name": "neondb", "role_name": "neondb_owner", "endpoint_id": "ep-no"}),
    ],
)
def test_a_connection_uri_needs_to_be_asked_for_exactly(
    api: Api, status: int, parameters: dict[str, str]
) -> None:
    assert api.refused("GET", "~/connection_uri", **parameters)[0] == status


def test_schema_only_is_a_root_without_rows(special: Callable[..., Api]) -> None:
    api = special(root_limit=2)
    with opened(api.emulator.main) as main:
        main.execute("CREATE TABLE fruit (id serial PRIMARY KEY, name text)")
        main.execute("INSERT INTO fruit (name) VALUES ('apple'), ('pear')")
        main.execute("CREATE MATERIALIZED VIEW names AS SELECT name FROM fruit")
    made = api.create("bare", init_source="schema-only")
    assert "parent_id" not in made["branch"] and made["branch"]["init_source"] == "schema-only"
    assert query(made, "SELECT count(*) FROM fruit") == [(0,)]
    assert query(made, "INSERT INTO fruit (name) VALUES ('fig') RETURNING id") == [(1,)]
    assert query(api.emulator.main, "SELECT count(*) FROM fruit") == [(2,)]
    response = api.request("POST", "~/branches", {"branch": {"init_source": "schema-only"}})
    assert (response.status_code, response.json()["code"]) == (422, "ROOT_BRANCHES_LIMIT_EXCEEDED")


def test_a_child_of_a_protected_one_gets_new_passwords(special: Callable[..., Api]) -> None:
    api = special()
    main = next(item["id"] for item in api.emulator.neon_branches() if item["default"])
    same = api.create("same")
    assert same["roles"][0]["password"] == api.emulator.main.password
    api.patch(f"~/branches/{main}", {"branch": {"protected": True}})
    other = api.create("other")
    assert other["roles"][0]["password"] != api.emulator.main.password
    assert query(other, "SELECT current_user") == [("neondb_owner",)]


def test_a_reset_brings_the_parents_data_and_restarts_the_countdown(api: Api) -> None:
    query(api.emulator.main, "DROP TABLE IF EXISTS seen")
    made = api.create("reset", expires_at=SOON)
    query(made, "CREATE TABLE mine (a int)")
    query(api.emulator.main, "CREATE TABLE seen (a int)")
    path = f"~/branches/{made['branch']['id']}"
    api.patch(path, {"branch": {"expires_at": shown(datetime.now(UTC) + timedelta(hours=2))}})
    answer = api.post(path + "/restore", {"source_branch_id": made["branch"]["parent_id"]})
    assert answer["branch"]["current_state"] == "resetting"
    api.settle()
    tables = query(made, "SELECT relname FROM pg_class WHERE relname IN ('mine', 'seen')")
    assert tables == [("seen",)]
    found = api.get(path)["branch"]
    assert found["current_state"] == "ready" and "last_reset_at" in found and "expires_at" in found


def test_a_restore_can_keep_what_was_there_with_its_children(api: Api) -> None:
    parent = api.create("parent")
    path = f"~/branches/{parent['branch']['id']}"
    query(parent, "CREATE TABLE old (a int)")
    child = api.create("child", parent_id=parent["branch"]["id"])
    main = {"source_branch_id": parent["branch"]["parent_id"]}
    assert api.refused("POST", path + "/restore", main)[0] == 422
    assert api.refused("POST", path + "/restore", {"source_branch_id": parent["branch"]["id"]})[0] == 400
    api.post(path + "/restore", {**main, "preserve_under_name": "kept"})
    api.settle()
    kept = next(item for item in api.emulator.neon_branches() if item["name"] == "kept")
    assert api.get(f"~/branches/{child['branch']['id']}")["branch"]["parent_id"] == kept["id"]
    assert query(parent, "SELECT to_regclass('old')::text") == [(None,)]
    assert query(child, "SELECT to_regclass('old')::text") == [("old",)]
    assert "CREATE TABLE public.old" in api.get(f"~/branches/{kept['id']}/schema", db_name="neondb")["sql"]


def test_schemas_are_shown_and_compared(api: Api) -> None:
    made = api.create("compared")
    path = f"~/branches/{made['branch']['id']}"
    assert api.get(path + "/compare_schema", db_name="neondb")["diff"] == ""
    query(made, "CREATE TABLE added (id int PRIMARY KEY, name text DEFAULT 'x')")
    diff = api.get(path + "/compare_schema", db_name="neondb")["diff"]
    assert "+CREATE TABLE public.added (" in diff.splitlines()
    back = api.get(
        f"~/branches/{made['branch']['parent_id']}/compare_schema",
        db_name="neondb", base_branch_id=made["branch"]["id"],
    )["diff"]  # fmt: skip
    assert "-CREATE TABLE public.added (" in back.splitlines()
    tables = api.get(path + "/schema", db_name="neondb", format="json")["json"]["tables"]
    assert "added" in [table["name"] for table in tables]
    assert api.refused("GET", path + "/schema", db_name="no") == (404, "database not found")
    assert api.refused("GET", path + "/schema")[0] == 400
    main = made["branch"]["parent_id"]
    assert api.refused("GET", f"~/branches/{main}/compare_schema", db_name="neondb")[0] == 400


def test_an_anonymized_one_holds_no_original_values(special: Callable[..., Api]) -> None:
    api = special()
    with opened(api.emulator.main) as main:
        main.execute("CREATE TABLE people (id int, email text, phone text, age int)")
        main.execute("INSERT INTO people VALUES (1, 'a@b.c', '123456789', 30), (2, 'd@e.f', '987654321', 40)")
    where = {"database_name": "neondb", "schema_name": "public", "table_name": "people"}
    rules = [
        {**where, "column_name": "email", "masking_function": "anon.fake_email()"},
        {**where, "column_name": "phone", "masking_function": "anon.partial(phone, 2, $$***$$, 2)"},
        {**where, "column_name": "age", "masking_value": "0"},
    ]
    made = api.post(
        "~/branch_anonymized",
        {"branch_create": {"branch": {"name": "masked"}, "endpoints": [{"type": "read_write"}]},
         "masking_rules": rules, "start_anonymization": True},
    )  # fmt: skip
    path = f"~/branches/{made['branch']['id']}"
    api.settle()
    assert api.get(path + "/anonymized_status")["state"] == "anonymized"
    assert api.get(path + "/masking_rules")["masking_rules"] == rules
    assert "anonymized" in api.get(path)["annotation"]["value"]
    rows = query(made, "SELECT email, phone, age FROM people ORDER BY id")
    assert all(email.endswith("@example.com") and age == 0 for email, _, age in rows)
    assert [phone for _, phone, _ in rows] == ["12***89", "98***21"]
    api.patch(
        path + "/masking_rules", {"masking_rules": [{**where, "column_name": "no", "masking_value": "x"}]}
    )
    api.post(path + "/anonymize")
    api.settle()
    status = api.get(path + "/anonymized_status")
    assert status["state"] == "error" and 'column "no"' in status["status_message"] and "failed_at" in status
    assert api.refused("GET", f"~/branches/{made['branch']['parent_id']}/anonymized_status")[0] == 404
