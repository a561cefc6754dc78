"""Identifiers and secrets in the forms that Neon uses."""

from __future__ import annotations

import secrets

ADJECTIVES = ("aged", "bold", "calm", "cool", "dark", "fair", "late", "misty", "quiet", "shiny", "wispy")
NOUNS = ("bird", "cloud", "dew", "field", "hill", "lake", "moon", "rain", "river", "snow", "tree", "wind")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def _random(length: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def identifier(prefix: str = "") -> str:
    """``br-quiet-rain-a1b2c3d4`` for the prefix ``br``."""
    words = [prefix] if prefix else []
    return "-".join([*words, secrets.choice(ADJECTIVES), secrets.choice(NOUNS), _random(8)])


def password() -> str:
    return "npg_" + _random(12)


def api_key() -> str:
    return "napi_" + _random(64)
