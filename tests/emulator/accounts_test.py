"""Keys of every kind at the emulator, what they open, and errors in Neon's form."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from neon_hooks.errors import UsageError
from tests.fix_emulator import Api


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic x", "Token napi_x"])
def test_without_a_right_key_nothing_is_answered(api: Api, header: str) -> None:
    api.http.headers["Authorization"] = header
    for method, path in (("GET", "~/branches"), ("POST", "~/branches"), ("GET", "/no/such/route")):
        assert api.refused(method, path)[0] == 401
    assert all(request.key_kind == "" for request in api.emulator.requests)


@pytest.mark.parametrize(
    ("kind", "method", "me"),
    [("personal", "api_key_user", 200), ("org", "api_key_org", 404), ("project", "api_key_org", 404)],
)
def test_each_kind_of_key_opens_what_it_should(api: Api, kind: str, method: str, me: int) -> None:
    client = Api(api.emulator, api.emulator.new_key(kind))
    assert client.get("/auth")["auth_method"] == method
    assert client.request("GET", "/users/me").status_code == me
    assert client.get("~/branches")["branches"]
    organization = client.get("/users/me/organizations")["organizations"][0]["id"]
    assert client.get(f"/organizations/{organization}")["id"] == organization
    assert [item["id"] for item in client.get("/projects")["projects"]] == [api.emulator.project_id]
    assert client.get("~")["project"]["id"] == api.emulator.project_id
    assert client.emulator.requests[-1].key_kind == kind
    client.close()


def test_an_organizations_key_is_told_so(api: Api) -> None:
    client = Api(api.emulator, api.emulator.new_key("org"))
    assert client.refused("GET", "/users/me") == (
        404,
        "this endpoint is not allowed for organization API keys",
    )
    client.close()


def test_the_first_key_can_be_of_another_kind(special: Callable[..., Api]) -> None:
    assert special(key_kind="project").get("/auth")["auth_method"] == "api_key_org"


def test_an_unknown_kind_of_key_is_a_mistake(api: Api) -> None:
    with pytest.raises(UsageError, match="kind of API key"):
        api.emulator.new_key("root")


def test_a_personal_key_may_have_to_name_the_organization(special: Callable[..., Api]) -> None:
    api = special(require_org_id=True)
    assert api.refused("GET", "/projects")[0] == 400
    organization = api.get("/users/me/organizations")["organizations"][0]["id"]
    assert len(api.get("/projects", org_id=organization)["projects"]) == 1
    assert api.get("/projects", org_id="org-other")["projects"] == []


def test_another_project_is_not_found(api: Api) -> None:
    assert api.refused("GET", "/projects/other-project-1/branches") == (404, "project not found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("PUT", "~/branches"),
        ("DELETE", "~"),
        ("POST", "/projects"),
        ("GET", "~/branches/x/y"),
    ],
)
def test_an_unknown_route_is_not_found_in_neons_form(api: Api, method: str, path: str) -> None:
    assert api.refused(method, path)[0] == 404


def test_the_id_of_a_request_comes_back(api: Api) -> None:
    api.http.headers["X-Request-ID"] = "my-request-1"
    response = api.request("GET", "~/branches/br-none")
    assert response.headers["X-Request-ID"] == response.json()["request_id"] == "my-request-1"


def test_small_lists_are_there_for_clients_that_ask(api: Api) -> None:
    assert [item["default"] for item in api.get("/regions")["regions"]] == [True]
    assert api.get("/projects/shared")["projects"] == []


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET /api/v2/auth HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n",
        b"POST /api/v2/auth HTTP/1.1\r\nContent-Length: 50\r\n\r\n{",
        b"POST /api/v2/auth HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}   \r\n0\r\n\r\n",
    ],
)
def test_noise_on_the_socket_does_no_harm(api: Api, sent: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    address = api.emulator.api_host.removeprefix("http://").partition("/")[0].split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=5) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            continue
    assert api.get("/auth")
    assert capfd.readouterr() == ("", "")
