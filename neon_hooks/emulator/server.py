"""The HTTP server: requests in, JSON out, faults carried out, everything recorded.

What a request means is the routes' affair. Besides the API below /api/v2 there is /_emulator, with the
same keys: GET and DELETE /_emulator/requests, GET, POST and DELETE /_emulator/faults, POST
/_emulator/operations (an operation of the system's, which locks the project for a while).
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from neon_hooks.emulator import control, faults, problems
from neon_hooks.emulator.faults import Fault, Faults
from neon_hooks.emulator.journal import Journal, Request
from neon_hooks.emulator.model import HOST
from neon_hooks.emulator.project import Project
from neon_hooks.emulator.routes import table
from neon_hooks.emulator.routes.call import Call, Reply
from neon_hooks.errors import NeonHooksError

BASE = "/api/v2"
CONTROL = "/_emulator"
LARGEST_BODY = 16 * 1024 * 1024
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS")


@dataclass
class Answer:
    status: int
    content: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1 only. ``port`` 0: any free one."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, project: Project, faults: Faults, journal: Journal) -> None:
        self.project = project
        self.faults = faults
        self.journal = journal
        self._open: set[socket.socket] = set()
        self._opening = threading.Lock()
        super().__init__((HOST, port), Handler)

    def start(self) -> None:
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, name="neon-emulator-http", daemon=True
        ).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._opening:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._opening:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is its own affair: nothing is printed."""

    def close(self) -> None:
        """Stop listening and end connections that are kept alive."""
        self.shutdown()
        self.server_close()
        with self._opening:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it was closed by the other side


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "neon-hooks-emulator"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one piece
    timeout = 120
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """The journal records requests; standard error stays clean."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_") and name[3:] in METHODS:
            return self._handle
        raise AttributeError(name)

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.request_id = self.headers.get("X-Request-ID") or str(uuid.uuid4())
        self._key_kind = self._authenticate()
        content = self._content()
        body = _parsed(content)
        fault = None if parts.path.startswith(CONTROL) else self.server.faults.take(self.command, parts.path)
        answer = self._answer(parts.path, query, body, fault)
        if not parts.path.startswith(CONTROL):
            self.server.journal.add(
                Request(
                    self.command, parts.path, query, body if body is not _BROKEN else None, self._key_kind,
                    answer.status if answer else 0, self.request_id, self.headers.get("User-Agent", ""),
                )
            )  # fmt: skip
        if answer is None:
            self._drop()
        else:
            self._send(answer)

    def _authenticate(self) -> str:
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        return self.server.project.keys.get(key.strip(), "") if scheme.lower() == "bearer" else ""

    def _content(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # what follows cannot be told from the next request
            return b"" if "Transfer-Encoding" not in self.headers else b"{"
        return self.rfile.read(int(length))

    def _answer(self, path: str, query: Mapping[str, str], body: Any, fault: Fault | None) -> Answer | None:
        """None: the connection is to be dropped."""
        if fault:
            if fault.effect == faults.SLOW:
                time.sleep(fault.seconds)
            elif fault.effect == faults.DROP_BEFORE:
                return None
            elif fault.effect == faults.HTML:
                return Answer(fault.status, fault.page.encode(), "text/html; charset=utf-8", fault.headers)
            elif fault.effect == faults.STATUS:
                return self._refusal(fault.problem, fault.headers)
        try:
            if not self._key_kind:
                raise problems.unauthorized()
            if body is _BROKEN:
                raise problems.bad_request("the body is not a JSON object")
            reply = self._reply(path, query, body, fault)
        except problems.Problem as problem:
            return self._refusal(problem)
        except NeonHooksError as error:
            return self._refusal(problems.Problem(500, error.message))
        except Exception as error:  # whatever it is, the client learns of it and the emulator goes on
            return self._refusal(problems.Problem(500, f"{type(error).__name__}: {error}"))
        if fault and fault.effect == faults.DROP_AFTER:
            return None
        if fault and fault.effect == faults.FUTURE:
            reply = Reply(faults.futuristic(reply.body), reply.status)
        return Answer(reply.status, b"" if reply.body is None else json.dumps(reply.body).encode())

    def _reply(self, path: str, query: Mapping[str, str], body: Any, fault: Fault | None) -> Reply:
        if path.startswith(CONTROL + "/"):
            return control.reply(self.server, self.command, path.removeprefix(CONTROL), body)
        if not path.startswith(BASE + "/"):
            raise problems.no_route()
        route, params = table.find(self.command, path.removeprefix(BASE))
        params = {name: unquote(value) for name, value in params.items()}
        project = self.server.project
        if params.get("project_id", project.id) != project.id:
            raise problems.not_found("project")
        call = Call(project, self._key_kind, params, query, body)
        if not route.locks:
            return route.handler(call)
        with project.lock:
            if project.closed:
                raise problems.Problem(503, "the emulator is closed")
            if route.mutates and project.operations.busy:
                raise problems.locked()
            project.operations.mishap = fault.mishap if fault and route.mutates else None
            try:
                return route.handler(call)
            finally:
                project.operations.mishap = None
                if route.mutates:
                    project.save()

    def _refusal(self, problem: problems.Problem, headers: Mapping[str, str] | None = None) -> Answer:
        body = {"request_id": self.request_id, "code": problem.code, "message": problem.message}
        return Answer(problem.status, json.dumps(body).encode(), headers=headers or {})

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("X-Request-ID", self.request_id)
        if answer.status != 204:
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    def _drop(self) -> None:
        """Reset the connection, as a proxy that dies would."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


_BROKEN = object()


def _parsed(content: bytes) -> Any:
    if not content.strip():
        return {}
    try:
        body = json.loads(content)
    except ValueError:
        return _BROKEN
    return body if isinstance(body, dict) else _BROKEN
