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

import pytest

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
        self.answer: Callable[[Request], Reply] = lambda request: Reply(500, {"message": "the script is over"})
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
