from __future__ import annotations

from urllib.parse import quote

import pytest

from neon_hooks.redact import Redactor

SECRET = "p@ss/w:ord'%\\x"


@pytest.mark.parametrize("form", [SECRET, quote(SECRET, safe=""), quote(SECRET), repr(SECRET)])
def test_a_known_secret_is_masked_in_every_encoding(form: str) -> None:
    assert SECRET not in Redactor([SECRET])(f"before {form} after")
    assert quote(SECRET, safe="") not in Redactor([SECRET])(f"before {form} after")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://bob:canary@db.example.com/x",
        "postgresql+asyncpg://bob:canary@db.example.com:5432/x?ssl=1",
        "url='postgres://:canary@[::1]/x'",
        "postgres://bob:can@ary@db.example.com/x",
        "host=db user=bob password=canary dbname=x",
        "password='can ary' host=db",
        "Password = canary",
    ],
)
def test_the_password_of_an_unknown_connection_string_is_masked(text: str) -> None:
    masked = Redactor([])(text)
    assert "canary" not in masked and "can ary" not in masked and "can@ary" not in masked
    assert "***" in masked


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://bob@db.example.com/x",
        "http://example.com:8080/path",
        "see https://example.com/a:b and mail bob@example.com",
        "relation users does not exist at 12:30",
    ],
)
def test_text_without_a_secret_is_left_alone(text: str) -> None:
    assert Redactor(["abc", ""])(text) == text
