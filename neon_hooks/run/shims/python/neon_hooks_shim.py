"""The driver shim: where connections must go, the journal, and the hook that patches drivers on import.

Runs inside the project's interpreter: standard library only, Python 3.8 and later. It must never break
the program; the one exception is a connection whose target is not known, which must not be opened.

Environment: NEON_HOOKS_TARGET (a connection URL), NEON_HOOKS_JOURNAL (a file to append to),
NEON_HOOKS_TOP and NEON_HOOKS_CHECKOUT (the work tree, and the pushed tree that stands for it).
"""

from __future__ import annotations

import ast
import importlib
import itertools
import json
import os
import sys
import time
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional

DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000")
# What a program may say about where to connect and as whom, in any driver's spelling. All of it is dropped.
IDENTITY = frozenset(
    "host hostaddr port user password passfile dbname database dsn service servicefile unix_sock sock"
    " source_address sslmode sslcert sslkey sslpassword sslrootcert sslcrl sslcrldir sslsni sslcompression"
    " sslnegotiation sslcertmode ssl_min_protocol_version ssl_max_protocol_version ssl direct_tls requiressl"
    " channel_binding require_auth target_session_attrs load_balance_hosts gssencmode krbsrvname gsslib"
    " gssdelegation requirepeer replication".split()
)
INSTALLED = os.sep + "site-packages" + os.sep
# Django runs a migration's operations itself, so that no line of the migration is on the stack.
DJANGO_MIGRATION = os.path.join("django", "db", "migrations", "migration.py")
MAX_FRAMES = 8
MAX_SQL, MAX_PARAMS, MAX_STATEMENTS = 20000, 200, 20000
# libpq takes these even when a connection string names a host.
LIBPQ_OVERRIDES = ("PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR")
ROUTINE = ("SELECT", "INSERT", "UPDATE", "DELETE", "FETCH", "COPY")


def parse_target(uri: str) -> Dict[str, str]:
    """libpq's parameters in a connection URL."""
    from urllib.parse import parse_qsl, unquote, urlsplit

    parts = urlsplit(uri)
    if not parts.hostname:
        raise RuntimeError("neon-hooks: NEON_HOOKS_TARGET is not a connection URL")
    found = {
        "host": unquote(parts.hostname),
        "port": str(parts.port or 5432),
        "dbname": unquote(parts.path[1:]),
    }
    for key, value in (("user", parts.username), ("password", parts.password)):
        if value:
            found[key] = unquote(value)
    found.update(parse_qsl(parts.query))
    return found


class Journal:
    """Appends one JSON line per event, in one write each, so that a killed process loses nothing."""

    def __init__(self, path: str, checkout: str = "") -> None:
        self.path = path
        self.checkout = os.path.realpath(checkout) + os.sep if checkout else ""
        self.places = {}  # type: Dict[str, str]
        self.operations = {}  # type: Dict[str, List[int]]
        self.numbers = itertools.count(1)
        self.written = 0

    def write(self, kind: str, **fields: Any) -> None:
        try:
            line = json.dumps({"kind": kind, "pid": os.getpid(), **fields}, default=str) + "\n"
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line.encode("utf-8", "backslashreplace"))
            finally:
                os.close(handle)
        except Exception:
            pass  # a full disk is not the program's fault

    @contextmanager
    def statement(self, sql: Any, params: Any, connection: Any, transaction: int) -> Iterator[Dict[str, Any]]:
        """Note a statement when it starts and when it is over. The caller adds rows or an error."""
        fields = {
            "number": next(self.numbers), "at": time.time(), "sql": text(sql)[:MAX_SQL],
            "params": shortened(params),
            "connection": id(connection), "transaction": transaction,
        }  # type: Dict[str, Any]  # fmt: skip
        quiet = self._is_one_too_many(fields["sql"])
        if not quiet:
            fields["frames"] = self.frames()
        if not quiet:
            self.write("begin", number=fields["number"], sql=fields["sql"])
        started = time.perf_counter()
        try:
            yield fields
        finally:
            fields["ms"] = round((time.perf_counter() - started) * 1000, 3)
            if not quiet or "error" in fields:
                self.write("statement", **fields)

    def frames(self) -> List[Any]:
        """The lines of the project that led here, innermost first: one of them may be the migration's."""
        found = []  # type: List[Any]
        frame = sys._getframe(1) if self.checkout else None  # type: Any
        while frame is not None and len(found) < MAX_FRAMES:
            path = self.inside(frame.f_code.co_filename)
            if path:
                found.append([path, frame.f_lineno])
            elif frame.f_code.co_filename.endswith(DJANGO_MIGRATION):
                found += self.operation(frame.f_locals)
            frame = frame.f_back
        return found

    def operation(self, names: Dict[str, Any]) -> List[Any]:
        """Where the operation stands that Django's Migration.apply() is at; line 0 where its text does not tell."""
        try:
            migration, current = names["self"], names["operation"]
            file = sys.modules[type(migration).__module__].__file__ or ""
            path, lines = self.inside(file), self.lines_of_operations(file)
            place = [operation is current for operation in migration.operations].index(True)
            line = lines[place] if len(lines) == len(migration.operations) else 0
            return [[path, line]] if path else []
        except Exception:
            return []  # before the first operation, or another version of Django

    def lines_of_operations(self, file: str) -> List[int]:
        """The lines of what stands in the list ``operations`` of a migration's class."""
        if file not in self.operations:
            self.operations[file] = []
            with open(file, "rb") as handle:
                classes = [node for node in ast.parse(handle.read()).body if isinstance(node, ast.ClassDef)]
            for node in (node for each in classes if each.name == "Migration" for node in each.body):
                named = [getattr(target, "id", "") for target in getattr(node, "targets", ())]
                value = getattr(node, "value", None)
                if "operations" in named and isinstance(value, (ast.List, ast.Tuple)):
                    self.operations[file] = [element.lineno for element in value.elts]
        return self.operations[file]

    def inside(self, name: str) -> str:
        """A code object's file relative to the checkout, "" for one that is not the project's own."""
        if name not in self.places:
            path = os.path.realpath(name)
            ours = path.startswith(self.checkout) and INSTALLED not in path and not name.startswith("<")
            self.places[name] = path[len(self.checkout) :].replace(os.sep, "/") if ours else ""
        return self.places[name]

    def _is_one_too_many(self, sql: str) -> bool:
        """After many statements only those are kept that say something: data migrations send millions."""
        self.written += 1
        if self.written <= MAX_STATEMENTS:
            return False
        start = sql[:300].lower()
        return start.lstrip()[:6].upper().startswith(ROUTINE) and not (
            "migration" in start or "version" in start
        )


def text(sql: Any) -> str:
    if isinstance(sql, (bytes, bytearray)):
        return bytes(sql).decode("utf-8", "replace")
    return sql if isinstance(sql, str) else str(sql)


def shortened(params: Any) -> str:
    try:
        found = repr(params) if params else ""
    except Exception:
        return "?"
    return found if len(found) <= MAX_PARAMS else found[:MAX_PARAMS] + "..."


class Shim:
    """What the drivers' patches need: the target, the journal, and transaction numbers."""

    def __init__(self, environ: Dict[str, str]) -> None:
        self.target = parse_target(environ["NEON_HOOKS_TARGET"])
        self.journal = Journal(environ.get("NEON_HOOKS_JOURNAL") or os.devnull, environ.get("NEON_HOOKS_CHECKOUT", ""))
        self.transactions = {}  # type: Dict[int, int]

    def kept(self, params: Dict[str, Any]) -> Dict[str, Any]:
        """Of a program's parameters those that do not say where to connect: options, time limits, ..."""
        found = {key: value for key, value in params.items() if key not in IDENTITY}
        if isinstance(found.get("options"), str):
            # `endpoint=...` in the options chooses a compute on Neon (docs, connection errors).
            words = [
                word for word in found["options"].split() if not word.startswith(("endpoint=", "project="))
            ]
            found["options"] = " ".join(words)
        return found

    def redirected(self, params: Dict[str, Any]) -> Dict[str, Any]:
        """The target's parameters, and what may be kept of the program's."""
        for name in LIBPQ_OVERRIDES:  # a dotenv library may have set them since we started
            os.environ.pop(name, None)
        return {**self.kept(params), **self.target}

    def connected(self, driver: str, wanted: Dict[str, Any], host: Any, port: Any, database: Any) -> None:
        """Note what the program wanted, and where the new connection really goes."""
        names = ("service", "host", "hostaddr", "port", "dbname", "database")
        asked = " ".join("%s=%s" % (name, wanted[name]) for name in names if wanted.get(name))
        there = [str(host), str(port), str(database)]
        ours = there == [self.target["host"], self.target["port"], self.target["dbname"]]
        self.journal.write("connect", driver=driver, asked=asked, to="/".join(there), ours=ours)

    def transaction(self, connection: Any, is_idle: bool) -> int:
        """The number of the transaction that a statement runs in: a new one when none is open."""
        key = id(connection)
        self.transactions[key] = self.transactions.get(key, 0) + (
            1 if is_idle or key not in self.transactions else 0
        )
        return self.transactions[key]

    def statement(
        self, connection: Any, sql: Callable[[], Any], params: Any, is_idle: Callable[[], bool]
    ) -> Any:
        """A context manager that notes one statement. What the callables raise does no harm."""
        try:
            found, idle = text(sql()), is_idle()
        except Exception:
            found, idle = "?", False
        return self.journal.statement(found, params, connection, self.transaction(connection, idle))

    def refused(self, connection: Any, sql: Any, error: BaseException) -> None:
        """Note a command of the driver's own (COMMIT, SAVEPOINT) that Postgres refused."""
        found = self.diagnosis(error)
        if found.get("sqlstate"):
            with self.statement(connection, lambda: sql, None, lambda: False) as fields:
                fields["error"] = found

    @staticmethod
    def diagnosis(error: Any) -> Dict[str, Any]:
        """Postgres' words in an error of psycopg or psycopg2; only the message where it has none."""
        found = getattr(error, "diag", None)
        sqlstate = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        if found is None or not sqlstate:
            return {"message": str(error)}
        return {
            "sqlstate": sqlstate, "message": found.message_primary or str(error),
            "detail": found.message_detail, "hint": found.message_hint,
            "context": found.context, "position": found.statement_position,
        }  # fmt: skip

    def patch(self, module: Any) -> None:
        """Let the driver's own module here, named neon_hooks_<driver>, patch it."""
        try:
            importlib.import_module("neon_hooks_" + module.__name__).patch(self, module)
        except Exception as error:
            self.journal.write("broken", what="%s: %r" % (module.__name__, error))


class DriverFinder:
    """Finds what the other finders find, and has a driver patched once it is executed."""

    def __init__(self, patch: Callable[[Any], None]) -> None:
        self.patch = patch

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[Any]:
        if name not in DRIVERS:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                if spec.loader is not None:
                    self._hook(spec.loader)
                return spec
        return None

    def _hook(self, loader: Any) -> None:
        execute = loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            self.patch(module)

        loader.exec_module = exec_module


def moved(path: Any, pairs: List[Any]) -> Any:
    """The place in the pushed tree that stands for ``path`` in the work tree, when there is one."""
    if not isinstance(path, str) or not os.path.isabs(path):
        return path
    for top, checkout in pairs:
        if path == top or path.startswith(top + os.sep):
            there = checkout + path[len(top) :]
            return there if os.path.exists(there) else path
    return path


def use_pushed_tree(top: str, checkout: str) -> None:
    """Editable installs point into the work tree; what is validated is the pushed tree."""
    if not top or not checkout or os.path.realpath(top) == os.path.realpath(checkout):
        return
    pairs = [(os.path.normpath(top), checkout), (os.path.realpath(top), checkout)]
    sys.path[:] = [moved(path, pairs) for path in sys.path]
    for finder in list(sys.meta_path):  # setuptools, scikit-build-core and meson-python keep tables of files
        module = sys.modules.get(getattr(finder, "__module__", None) or type(finder).__module__)
        for owner in (module, finder):
            for name in ("MAPPING", "known_source_files", "_known_source_files"):
                table = getattr(owner, name, None)
                if isinstance(table, dict):
                    table.update({key: moved(value, pairs) for key, value in table.items()})
    sys.path_importer_cache.clear()


def install() -> None:
    """Called once per process, also in those that the tool starts."""
    if not os.environ.get("NEON_HOOKS_TARGET"):
        return  # the probe, which only wants to know that we are here
    shim = Shim(dict(os.environ))
    shim.journal.write("loaded", python=".".join(map(str, sys.version_info[:3])))
    try:
        use_pushed_tree(os.environ.get("NEON_HOOKS_TOP", ""), os.environ.get("NEON_HOOKS_CHECKOUT", ""))
    except Exception as error:
        shim.journal.write("broken", what="editable installs: %r" % (error,))
    sys.meta_path.insert(0, DriverFinder(shim.patch))
    for name in DRIVERS:  # a .pth file may have been faster
        if name in sys.modules:
            shim.patch(sys.modules[name])
