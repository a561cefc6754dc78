"""pg8000: its three interfaces build on CoreConnection. Standard library only, Python 3.8 and later."""

from __future__ import annotations

import functools
import sys
from typing import Any, Dict

POSITIONAL = ("host", "database", "port", "password", "source_address", "unix_sock", "ssl_context")
LETTERS = {"sqlstate": "C", "message": "M", "detail": "D", "hint": "H", "context": "W", "position": "P"}
STATEMENT_AT = {"execute_simple": 0, "execute_unnamed": 0, "execute_named": 4}  # among the arguments
PARAMS_AT = {"execute_unnamed": 1, "execute_named": 1}


def patch(shim: Any, pg8000: Any) -> None:
    core = sys.modules["pg8000.core"].CoreConnection
    _connect(shim, core)
    for name in STATEMENT_AT:
        _noted(shim, core, name)


def _connect(shim: Any, core: Any) -> None:
    original = core.__init__

    def init(self: Any, user: Any = None, *args: Any, **kwargs: Any) -> None:
        wanted = dict(zip(POSITIONAL, args), **kwargs)
        kept = {key: value for key, value in shim.kept(wanted).items() if key != "ssl_context"}
        target = shim.target
        original(
            self, target.get("user", ""), host=target["host"], port=int(target["port"]),
            database=target["dbname"], password=target.get("password"),
            ssl_context=_tls(target, wanted.get("ssl_context")), **kept,
        )  # fmt: skip
        shim.connected("pg8000", wanted, target["host"], target["port"], target["dbname"])

    core.__init__ = functools.wraps(original)(init)


def _tls(target: Dict[str, str], wanted: Any) -> Any:
    """The target's sslmode as an SSLContext; a program that verifies goes on verifying."""
    import ssl

    mode = target.get("sslmode", "prefer")
    if mode in ("disable", "allow", "prefer"):
        return None
    root = target.get("sslrootcert")
    context = ssl.create_default_context(cafile=root if root and root != "system" else None)
    verifies = wanted is True or getattr(wanted, "verify_mode", ssl.CERT_NONE) != ssl.CERT_NONE
    if mode == "verify-ca":
        context.check_hostname = False
    elif mode == "require" and not verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _noted(shim: Any, core: Any, name: str) -> None:
    original = getattr(core, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        place, values = STATEMENT_AT[name], PARAMS_AT.get(name, len(args))
        statement = shim.statement(
            self,
            lambda: kwargs["statement"] if "statement" in kwargs else args[place],
            args[values] if values < len(args) else None,
            lambda: self._transaction_status in (b"I", None),
        )
        with statement as fields:
            try:
                context = original(self, *args, **kwargs)
                fields["rows"] = getattr(context, "row_count", -1)
                return context
            except Exception as error:
                fields["error"] = _diagnosis(error)
                raise

    setattr(core, name, functools.wraps(original)(method))


def _diagnosis(error: BaseException) -> Dict[str, Any]:
    found = error.args[0] if error.args and isinstance(error.args[0], dict) else {"M": str(error)}
    return {name: found.get(letter) for name, letter in LETTERS.items()}
