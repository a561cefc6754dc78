"""The guard: one connection string is let through, and nothing that differs from it in any way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable
from neon_hooks.neon.guard import REDIRECTING, prove_ours
from neon_hooks.neon.models import Endpoint

OURS = Endpoint("ep-ours-1", "ep-ours-1.c-2.eu-1.aws.neon.tech", "br-ours", "read_write")
MAIN = Endpoint("ep-main-1", "ep-main-1.c-2.eu-1.aws.neon.tech", "br-main", "read_write")
OTHER = Endpoint("ep-dev-1", "ep-dev-1.c-2.eu-1.aws.neon.tech", "br-dev", "read_write")
DSN = Dsn.parse(f"postgresql://me:npg_x@{OURS.host}/shop?sslmode=require&channel_binding=require")


def prove(dsn=DSN, *, branch_id="br-ours", others=("br-main", "br-dev"), endpoints=(MAIN, OURS, OTHER)):
    prove_ours(dsn, branch_id=branch_id, database="shop", role="me", others=others, endpoints=endpoints)


def refused(**what) -> str:
    with pytest.raises(Unavailable) as caught:
        prove(**what)
    assert "npg_x" not in caught.value.message
    return caught.value.message


def test_our_own_compute_is_let_through():
    prove()


def test_a_host_is_the_same_in_capitals():
    prove(replace(DSN, host=DSN.host.upper()))


def test_computes_on_one_host_are_told_apart_by_their_port():
    ours, main = replace(OURS, host="127.0.0.1", port=5501), replace(MAIN, host="127.0.0.1", port=5500)
    prove(replace(DSN, host="127.0.0.1", port=5501), endpoints=(main, ours))
    assert "another" in refused(dsn=replace(DSN, host="127.0.0.1", port=5500), endpoints=(main, ours))
    assert "read-write" in refused(dsn=replace(DSN, host="127.0.0.1"), endpoints=(main, ours))


@pytest.mark.parametrize(
    "host",
    [
        MAIN.host,
        OTHER.host,
        MAIN.host.upper(),
        MAIN.host + ".",
        MAIN.host.replace("ep-main-1", "ep-main-1-pooler"),
        OURS.host.replace("ep-ours-1", "ep-ours-1-pooler"),
        OURS.host.replace("ep-ours-1", "EP-OURS-1-POOLER"),
        "ep-ours-1",
        "ep-ours-1.c-3.eu-1.aws.neon.tech",
        "db.example.com",
        "localhost",
        "",
        f"{OURS.host},{MAIN.host}",
        f"{MAIN.host},{OURS.host}",
        f"{OURS.host} {MAIN.host}",
        f"/var/run/{OURS.host}",
        f"{OURS.host}%00",
        OURS.host + "\n",
    ],
)
def test_any_other_host_is_refused(host):
    refused(dsn=replace(DSN, host=host))


@pytest.mark.parametrize("port", [0, 5433, 6432, -1])
def test_any_other_port_is_refused(port):
    refused(dsn=replace(DSN, port=port))


@pytest.mark.parametrize("name", [*sorted(REDIRECTING), "HOST", "HostAddr"])
def test_a_parameter_that_can_lead_elsewhere_is_refused(name):
    assert "parameter" in refused(dsn=DSN.with_params(**{name: MAIN.host}))


@pytest.mark.parametrize(
    "password", ["endpoint=ep-main-1;npg_x", "project=ep-main-1$npg_x", "ep-main-1;npg_x"]
)
def test_a_password_that_names_a_compute_is_refused(password):
    refused(dsn=replace(DSN, password=password))


@pytest.mark.parametrize(
    "changes", [{"database": "other"}, {"user": "someone"}, {"database": ""}, {"user": ""}]
)
def test_another_database_or_role_is_refused(changes):
    refused(dsn=replace(DSN, **changes))


@pytest.mark.parametrize(
    "endpoints",
    [
        (),
        (MAIN, OTHER),
        (MAIN, replace(OURS, type="read_only")),
        (MAIN, replace(OURS, type="")),
        (MAIN, replace(OURS, branch_id="")),
        (MAIN, replace(OURS, branch_id="br-other")),
        (MAIN, replace(OURS, host="")),
        (MAIN, OURS, replace(OTHER, host="")),
        (MAIN, OURS, replace(OTHER, branch_id="")),
        (MAIN, OURS, replace(OTHER, port=0)),
        (replace(MAIN, host=OURS.host), OURS),
        (replace(MAIN, host=OURS.host.upper()), OURS),
        (replace(MAIN, host=OURS.host.replace("ep-ours-1", "ep-ours-1-pooler")), OURS),
    ],
)
def test_computes_that_leave_a_doubt_are_refused(endpoints):
    refused(endpoints=endpoints)


def test_an_id_that_existed_before_is_not_ours():
    assert "another" in refused(others=("br-ours", "br-main"))
    assert "another" in refused(branch_id="br-main", dsn=replace(DSN, host=MAIN.host))


def test_no_id_is_not_ours_even_if_a_compute_has_none_either():
    refused(branch_id="", endpoints=(MAIN, replace(OURS, branch_id="")))
