"""Where the Neon API is and who asks: NEON_API_HOST, the key, and our name. Pure."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.settings import KEY_PAGE

API_PATH = "/api/v2"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
ID = re.compile(r"[a-z0-9-]{1,60}")  # of everything that Neon names, but operations (Neon's OpenAPI document)


def base_url(api_host: str) -> str:
    """The URL that the API's paths are appended to.

    NEON_API_HOST is `https://console.neon.tech/api/v2` for Neon's CLI; without a path that path is
    meant, without a scheme https. Plain http would show the key to the network: only on this machine.
    """
    url = api_host if "://" in api_host else f"https://{api_host}"
    fix = "it has the form https://console.neon.tech/api/v2"
    try:
        parts = urlsplit(url)
        well_formed = parts.scheme in ("https", "http") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        well_formed = False
    if not well_formed or parts.query or parts.fragment or parts.username or " " in url:
        raise UsageError("NEON_API_HOST is not the address of an API", fix=fix)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise UsageError("NEON_API_HOST would send the key unencrypted to another machine", fix=fix)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or API_PATH}"


def user_agent() -> str:
    """As every tool of Neon does, we say who asks."""
    try:
        return f"neon-hooks/{version('neon-hooks')}"
    except PackageNotFoundError:
        return "neon-hooks/unknown"


def usable_key(key: str) -> str:
    """``key``, if it can be sent in a header. Raises Unavailable, which does not repeat it."""
    if not key:
        raise Unavailable(
            "NEON_API_KEY is not set",
            fix=f"make an API key, best one for this project only, at {KEY_PAGE} and set NEON_API_KEY",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Unavailable(
            "NEON_API_KEY holds characters that no key has", fix=f"copy the key again from {KEY_PAGE}"
        )
    return key
