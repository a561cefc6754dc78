"""The emulator for tests: one for all that only need a project, and a factory for special ones.

Every answer of ``/api/v2`` that goes through ``Api`` is checked against Neon's own OpenAPI document, where
that can be had: NEON_OPENAPI, ../shared/reference/neon-openapi.json, or the npm package that holds it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from neon_hooks.database.connect import Connection, connect
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator

TOP = Path(__file__).parent.parent
CACHE = TOP / ".cache"
FINAL = ("finished", "error", "cancelled", "skipped")
COMPUTE = [{"type": "read_write"}]
SPEC_PACKAGE = "@neondatabase/api-client@2.7.3"
SPEC_FILE = "@neondatabase/api-client/public-v2-for-users.gen.yaml"


def node_modules(*packages: str) -> Path:
    """A node_modules with ``packages``, installed once into the cache of this checkout."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs node and npm")
    directory = CACHE / ("npm-" + re.sub(r"[^\w.]+", "-", "-".join(packages)).strip("-"))
    directory.mkdir(parents=True, exist_ok=True)
    done = directory / "installed"
    with open(directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests run in several processes
        if not done.exists():
            command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(directory), *packages]
            subprocess.run(command, check=True, capture_output=True, cwd=directory)
            done.touch()
    return directory / "node_modules"


class Contract:
    """Neon's OpenAPI 3.0 document as a checker of answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = _json_schema(document)
        self._registry: Any = Registry().with_resource(
            "openapi", Resource(contents=self._document, specification=DRAFT202012)
        )
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", template)), template)
            for template in sorted(document["paths"], key=lambda path: path.count("{"))
        ]

    def check(self, method: str, path: str, response: httpx.Response) -> None:
        template = next((template for pattern, template in self._paths if pattern.fullmatch(path)), None)
        operation = self._document["paths"].get(template, {}).get(method.lower(), {})
        responses = operation.get("responses") or {"default": {"$ref": "#/components/responses/GeneralError"}}
        if response.is_success:
            assert str(response.status_code) in responses, f"{method} {path}: {response.status_code}"
        found = responses.get(str(response.status_code), responses["default"])
        if "$ref" in found:
            found = self._document["components"]["responses"][found["$ref"].rpartition("/")[2]]
        if "content" not in found or not response.content:
            return
        validator: Any = Draft202012Validator(
            _absolute(found["content"]["application/json"]["schema"]), registry=self._registry
        )
        problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(response.json())]
        assert not problems, f"{method} {path}: {problems}"


def _json_schema(value: Any) -> Any:
    """OpenAPI 3.0 says "nullable", JSON Schema says "or null"."""
    if isinstance(value, list):
        return [_json_schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {key: _json_schema(item) for key, item in value.items() if key != "example"}
    if changed.pop("nullable", None) is True:
        return {"anyOf": [changed, {"type": "null"}]}
    return changed


def _absolute(value: Any) -> Any:
    if isinstance(value, list):
        return [_absolute(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: "openapi" + item if key == "$ref" and isinstance(item, str) else _absolute(item)
        for key, item in value.items()
    }


@cache
def openapi_file() -> Path | None:
    named = os.environ.get("NEON_OPENAPI")
    for path in (Path(named) if named else None, TOP.parent / "shared/reference/neon-openapi.json"):
        if path and path.is_file():
            return path
    if shutil.which("npm") is None or shutil.which("node") is None:
        return None
    return node_modules(SPEC_PACKAGE) / SPEC_FILE


@cache
def contract() -> Contract | None:
    path = openapi_file()
    if path is None:
        return None
    if path.suffix == ".json":
        return Contract(json.loads(path.read_text()))
    import yaml

    return Contract(yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


class Api:
    """A client that hides nothing: one request, one answer, checked against the contract."""

    def __init__(self, emulator: Emulator, key: str | None = None) -> None:
        self.emulator = emulator
        self.project = f"/projects/{emulator.project_id}"
        headers = {"Authorization": f"Bearer {emulator.api_key if key is None else key}"}
        self.http = httpx.Client(headers=headers, trust_env=False, timeout=60)
        self.checks = True

    def request(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """``path`` is below /api/v2; one that begins with "~" is below the project."""
        path = path.replace("~", self.project, 1)
        response = self.http.request(
            method, self.emulator.api_host + path, json=body, params={k: str(v) for k, v in query.items()}
        )
        found = contract()
        if found and self.checks:
            found.check(method, path, response)
        return response

    def get(self, path: str, **query: Any) -> Any:
        return self._expected(self.request("GET", path, **query))

    def post(self, path: str, body: Any = None) -> Any:
        return self._expected(self.request("POST", path, body if body is not None else {}))

    def patch(self, path: str, body: Any) -> Any:
        return self._expected(self.request("PATCH", path, body))

    def delete(self, path: str) -> Any:
        return self._expected(self.request("DELETE", path))

    def _expected(self, response: httpx.Response) -> Any:
        assert response.is_success, f"{response.status_code}: {response.text}"
        return response.json() if response.content else None

    def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str]:
        """Status and message of an error in Neon's form."""
        response = self.request(method, path, body, **query)
        assert response.is_error, response.text
        error = response.json()
        assert set(error) == {"request_id", "code", "message"}
        return response.status_code, error["message"]

    def create(
        self, name: str = "", *, compute: bool = True, top: Mapping[str, Any] | None = None, **branch: Any
    ) -> Any:
        """The answer to a creation that has come to its end."""
        body = {"branch": {**({"name": name} if name else {}), **branch}, **(top or {})}
        if compute:
            body["endpoints"] = COMPUTE
        made = self.post("~/branches", body)
        self.settle()
        return made

    def remove(self, neon_branch_id: str) -> None:
        self.delete(f"~/branches/{neon_branch_id}")
        self.settle()

    def operations(self) -> list[dict[str, Any]]:
        return list(self.get("~/operations")["operations"])

    def settle(self) -> None:
        until = time.monotonic() + 30
        while any(operation["status"] not in FINAL for operation in self.operations()):
            assert time.monotonic() < until, "operations take too long"
            time.sleep(0.01)

    def close(self) -> None:
        self.http.close()


def query(where: Dsn | str | Mapping[str, Any], sql: str) -> list[tuple[Any, ...]]:
    """The rows of one statement; ``where`` may be the answer to a creation."""
    with opened(where) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def opened(where: Dsn | str | Mapping[str, Any]) -> Connection:
    if isinstance(where, Mapping):
        where = str(where["connection_uris"][0]["connection_uri"])
    return connect(Dsn.parse(where) if isinstance(where, str) else where)


@pytest.fixture(scope="session")
def _shared_emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(_shared_emulator: Emulator) -> Iterator[Emulator]:
    """An emulator that has only main; what main's databases hold is left from test to test."""
    yield _shared_emulator
    _shared_emulator.faults.clear()
    _shared_emulator.release_stuck()
    api = Api(_shared_emulator)
    api.settle()
    while left := [found for found in _shared_emulator.neon_branches() if not found["default"]]:
        parents = {found.get("parent_id") for found in left}
        for found in left:
            if found["id"] not in parents:
                api.patch(f"~/branches/{found['id']}", {"branch": {"protected": False}})
                api.remove(found["id"])
    _shared_emulator.journal.clear()
    api.close()


@pytest.fixture
def api(emulator: Emulator) -> Iterator[Api]:
    client = Api(emulator)
    yield client
    client.close()


@pytest.fixture
def special() -> Iterator[Callable[..., Api]]:
    """Make an emulator with settings of its own; the client of it. All are closed at the end."""
    made: list[Api] = []

    def make(**settings: Any) -> Api:
        made.append(Api(Emulator(**settings)))
        return made[-1]

    yield make
    for client in made:
        client.close()
        client.emulator.close()
