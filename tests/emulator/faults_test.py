"""Trouble on demand, from Python and over HTTP, and the record of requests."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from neon_hooks.emulator.faults import Fault
from neon_hooks.errors import UsageError
from tests.fix_emulator import Api, opened


def _url(api: Api, path: str) -> str:
    return api.emulator.api_host.removesuffix("/api/v2") + "/_emulator" + path


@pytest.mark.parametrize("status", [404, 422, 423, 429, 500, 503])
def test_a_status_comes_as_often_as_asked_for_and_nothing_is_done(api: Api, status: int) -> None:
    api.emulator.faults.add(Fault(method="POST", path="/branches$", times=2, status=status))
    for _ in range(2):
        assert api.refused("POST", "~/branches", {})[0] == status
    assert api.get("~/branches")["branches"][0]["name"] == "main" and len(api.emulator.neon_branches()) == 1
    api.create("third time", compute=False)


def test_a_fault_without_an_end_stays_until_it_is_cleared(api: Api) -> None:
    api.emulator.faults.add(Fault(times=0, status=503))
    for _ in range(5):
        assert api.refused("GET", "~/branches")[0] == 503
    api.emulator.faults.clear()
    assert api.get("~/branches")


def test_only_the_requests_meant_are_met(api: Api) -> None:
    api.emulator.faults.add(Fault(method="DELETE", path=r"/branches/br-\w", status=500))
    assert api.get("~/branches")
    assert api.request("DELETE", "~/endpoints/ep-x").status_code == 204
    assert api.refused("DELETE", "~/branches/br-x")[0] == 500


def test_messages_and_codes_can_be_set(api: Api) -> None:
    api.emulator.faults.add(Fault(status=422, message="too big", code="BRANCH_SIZE_LIMIT"))
    error = api.request("GET", "~/branches").json()
    assert (error["code"], error["message"]) == ("BRANCH_SIZE_LIMIT", "too big")


def test_retry_after_comes_in_neither_or_either_form(api: Api) -> None:
    api.emulator.faults.add(
        Fault(status=429),
        Fault(status=429, retry_after=7),
        Fault(status=423, retry_after=7, retry_after_date=True),
    )
    none, number, date = (api.request("GET", "~/branches").headers.get("Retry-After") for _ in range(3))
    assert (none, number) == (None, "7")
    assert 5 <= (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds() <= 7


def test_an_error_page_is_no_json(api: Api) -> None:
    api.emulator.faults.add(Fault("html", status=524))
    api.checks = False
    response = api.request("GET", "~/branches")
    assert (response.status_code, response.headers["Content-Type"]) == (524, "text/html; charset=utf-8")
    assert response.text.startswith("<!DOCTYPE html>")


def test_a_slow_answer_comes_late_and_right(api: Api) -> None:
    api.emulator.faults.add(Fault("slow", seconds=0.5))
    started = time.monotonic()
    assert api.get("~/branches")["branches"]
    assert time.monotonic() - started >= 0.5


@pytest.mark.parametrize(("effect", "left"), [("drop-before", 1), ("drop-after", 2)])
def test_a_dropped_connection_may_or_may_not_have_done_its_work(api: Api, effect: str, left: int) -> None:
    api.emulator.faults.add(Fault(effect, "POST", "/branches$"))
    with pytest.raises(httpx.TransportError):
        api.post("~/branches", {"branch": {"name": "lost"}})
    api.settle()
    assert len(api.emulator.neon_branches()) == left
    assert [request.status for request in api.emulator.requests if request.method == "POST"] == [0]


def test_the_future_brings_unknown_fields_values_and_still_the_truth(api: Api) -> None:
    api.emulator.faults.add(Fault("future", times=0))
    api.checks = False
    made = api.create("future")
    assert made["branch"]["name"] == "future" and made["branch"]["creation_source"] == "from_the_future"
    assert made["field_from_the_future"] and made["endpoints"][0]["field_from_the_future"]
    assert api.operations()[0]["action"] == "from_the_future"
    assert len(api.operations()) > 1
    with opened(made) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_faults_and_requests_can_be_handled_over_http(api: Api) -> None:
    fault = {"method": "GET", "path": "/branches$", "status": 503, "retry_after": 1}
    assert api.http.post(_url(api, "/faults"), json=fault).status_code == 200
    waiting = api.http.get(_url(api, "/faults")).json()["faults"]
    assert [(item["effect"], item["status"], item["times"]) for item in waiting] == [("status", 503, 1)]
    assert api.refused("GET", "~/branches")[0] == 503
    api.http.post(_url(api, "/faults"), json={"faults": [fault, fault]})
    api.http.delete(_url(api, "/faults"))
    assert api.get("~/branches")
    recorded = api.http.get(_url(api, "/requests")).json()["requests"]
    assert [(item["method"], item["status"], item["key_kind"]) for item in recorded] == [
        ("GET", 503, "personal"),
        ("GET", 200, "personal"),
    ]
    api.http.delete(_url(api, "/requests"))
    assert api.emulator.requests == ()
    api.http.post(_url(api, "/operations"), json={"seconds": 0.2})
    assert api.refused("POST", "~/branches", {})[0] == 423
    assert httpx.get(_url(api, "/requests"), trust_env=False).status_code == 401


WRONG_FAULTS: tuple[dict[str, Any], ...] = (
    {"effect": "no"},
    {"unknown": 1},
    {"path": "("},
    {"faults": {}},
    {"faults": ["x"]},
    {"status": "x"},
    {"times": -1},
    {"seconds": "x"},
)


@pytest.mark.parametrize("body", WRONG_FAULTS)
def test_what_is_no_fault_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.http.post(_url(api, "/faults"), json=body).status_code == 400
    assert api.emulator.faults.waiting == []


def test_an_unknown_effect_is_a_mistake_in_python_too() -> None:
    with pytest.raises(UsageError, match="is not an effect"):
        Fault("no")


def test_every_request_is_recorded_with_what_was_asked(api: Api) -> None:
    body = {"branch": {"name": "recorded"}}
    api.create("recorded", compute=False)
    api.get("~/branches", search="recorded")
    request = api.emulator.requests[0]
    assert (request.method, request.path, request.body) == ("POST", f"/api/v2{api.project}/branches", body)
    assert (request.status, request.key_kind) == (201, "personal")
    assert request.user_agent.startswith("python-httpx")
    assert api.emulator.requests[-1].query == {"search": "recorded"}
    assert "napi_" not in repr(api.emulator.requests)
