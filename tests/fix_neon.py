"""The Neon API for tests: the emulator with settings that fit it, and a server that answers by a script.

The script is for answers that no rule of Neon leads to (a page of HTML, a missing field); both are
reached over a real socket.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from neon_hooks.emulator.emulator import Emulator
from neon_hooks.settings import Settings

KEY = "napi_a-key-that-must-not-be-shown"


@dataclass
class Reply:
    """``body`` a dict is JSON, a text is HTML; ``drop`` closes the connection without an answer."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    seconds: float = 0.0


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    at: float


class ScriptedNeon:
    """Answers with ``replies`` in turn, or by ``answer(request)`` once they are used up."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.requests: list[Request] = []
        over = Reply(500, {"message": "the script is over"})
        self.answer: Callable[[Request], Reply] = lambda request: over
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                parts = urlsplit(self.path)
                sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(
                    self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers.items()),
                    json.loads(sent) if sent else None, time.monotonic(),
                )  # fmt: skip
                script.requests.append(request)
                reply = script.replies.pop(0) if script.replies else script.answer(request)
                time.sleep(reply.seconds)
                self.close_connection = reply.drop
                if reply.drop:
                    return
                is_json = not isinstance(reply.body, str)
                content = (json.dumps(reply.body) if is_json else reply.body).encode()
                content = b"" if reply.status == 204 else content
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json" if is_json else "text/html")
                self.send_header("Content-Length", str(len(content)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = handle_one

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *args: Any) -> None:
                pass  # the client went away: that is what some tests do

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def api_host(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/v2"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def settings(self, **changes: Any) -> Settings:
        return Settings(**{"api_key": KEY, "api_host": self.api_host, "project_id": "wild-sky-1", **changes})


@pytest.fixture
def scripted() -> Iterator[ScriptedNeon]:
    server = ScriptedNeon()
    yield server
    server.close()


@pytest.fixture(scope="session")
def _neon_emulator() -> Iterator[Emulator]:
    with Emulator(branch_limit=6) as emulator:
        yield emulator


@pytest.fixture
def neon(_neon_emulator: Emulator) -> Iterator[Emulator]:
    """An emulator with main and nothing else. What a test leaves behind is its failure."""
    _neon_emulator.faults.clear()
    _neon_emulator.journal.clear()
    yield _neon_emulator
    _neon_emulator.faults.clear()
    _neon_emulator.release_stuck()
    left = [found for found in _neon_emulator.neon_branches() if not found["default"]]
    remove(_neon_emulator, [found["id"] for found in left])
    assert not left


def emulator_settings(emulator: Emulator, **changes: Any) -> Settings:
    found = {"api_key": emulator.api_key, "api_host": emulator.api_host, "project_id": emulator.project_id}
    return Settings(**{**found, **changes})


def call(emulator: Emulator, method: str, path: str, body: Any = None) -> Any:
    """One request as another client of the project would make it; waits while the project is locked."""
    for _ in range(200):
        response = httpx.request(
            method,
            f"{emulator.api_host}/projects/{emulator.project_id}{path}",
            headers={"Authorization": f"Bearer {emulator.api_key}"},
            json=body,
            trust_env=False,
        )
        if response.status_code != 423:
            response.raise_for_status()
            return response.json() if response.content else None
        time.sleep(0.05)
    raise AssertionError("the project stays locked")


def settle(emulator: Emulator) -> None:
    """Wait until no operation runs."""
    while any(
        operation["status"] not in ("finished", "error", "cancelled", "skipped")
        for operation in call(emulator, "GET", "/operations")["operations"]
    ):
        time.sleep(0.02)


def create(emulator: Emulator, name: str, **body: Any) -> dict[str, Any]:
    """A Neon database branch that is not ours."""
    made = call(emulator, "POST", "/branches", {"branch": {"name": name}, **body})["branch"]
    settle(emulator)
    return made


def remove(emulator: Emulator, branch_ids: list[str]) -> None:
    for branch_id in branch_ids:
        call(emulator, "DELETE", f"/branches/{branch_id}")
    settle(emulator)
