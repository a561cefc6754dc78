"""Every setting, from wherever it comes, checked in one place.

Order: defaults < file < environment (NEON_HOOKS_*) < flags. The file is ``.neon-hooks.toml`` or the
table ``[tool.neon-hooks]`` of pyproject.toml, read from the commit that is validated. The Neon API key
comes from the environment only. Nothing here opens a file or knows git: texts are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from neon_hooks.deadline import parse_duration
from neon_hooks.errors import UsageError
from neon_hooks.findings import Severity

FILES = (".neon-hooks.toml", "pyproject.toml")
DEFAULT_API_HOST = "https://console.neon.tech/api/v2"
KEY_PAGE = "https://console.neon.tech/app/settings#api-keys"
MAX_TTL = 30 * 86400.0  # Neon: at most 30 days (docs, branch expiration)
MAX_DEADLINE = 240.0  # Git hosts drop an SSH push that idles for about 360 s


@dataclass(frozen=True)
class SystemSettings:
    """One ``[[systems]]`` entry: adds a migration system, or says more about a detected one."""

    system: str
    root: str = ""
    migrations_dir: str = ""
    database: str = ""
    python: str = ""
    single_transaction: bool = False


@dataclass(frozen=True)
class MaskingRule:
    """One ``[[masking]]`` entry, for ``data = "anonymized"``: what a column's values become.

    ``function`` is one of PostgreSQL Anonymizer (``anon.fake_email()``), ``value`` a literal.
    """

    table: str
    column: str
    function: str = ""
    value: str = ""
    schema: str = "public"
    database: str = ""


@dataclass(frozen=True)
class LocalSettings:
    """``[local]``: the embedded Postgres that stands in for Neon when NEON_API_HOST is ``local``."""

    dump: str = ""
    postgres: str = ""


@dataclass(frozen=True)
class Settings:
    """``ttl`` and ``deadline`` are seconds. ``origin`` says where each key that is set came from."""

    project_id: str = ""
    parent: str = ""
    database: str = ""
    role: str = ""
    ttl: float = 4 * 3600.0
    data: str = "full"
    deadline: float = 120.0
    on_unavailable: str = "block"
    base: str = ""
    env_passthrough: tuple[str, ...] = ()
    systems: tuple[SystemSettings, ...] = ()
    rules: Mapping[str, str] = field(default_factory=dict)
    masking: tuple[MaskingRule, ...] = ()
    local: LocalSettings = LocalSettings()
    verbose: bool = False
    api_key: str = field(default="", repr=False)
    api_host: str = DEFAULT_API_HOST
    origin: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def is_local(self) -> bool:
        return self.api_host == "local"


Check = Callable[[Any], Any]  # returns the value to keep; raises ValueError with what is expected


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _flag(value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, str):
        value = words.get(value.lower())
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _directory(value: Any) -> str:
    path = _text(value).replace("\\", "/").strip("/")
    if ".." in path.split("/"):
        raise ValueError("a directory inside the repository")
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(word for word in value.replace(",", " ").split())
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of texts")
    return tuple(value)


def _one_of(*words: str) -> Check:
    def check(value: Any) -> str:
        if value not in words:
            raise ValueError("one of " + ", ".join(f'"{word}"' for word in words))
        return str(value)

    return check


def _duration(most: float) -> Check:
    def check(value: Any) -> float:
        seconds = parse_duration(value) if isinstance(value, str) else 0.0
        if not 0 < seconds <= most:
            raise ValueError(f'a duration such as "60s", "2m" or "4h", at most {most:g} s')
        return seconds

    return check


def _table(of: type, keys: Mapping[str, Check], required: Sequence[str] = ()) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("a table")
        for key in required:
            if key not in value:
                raise ValueError(f"a table with the key `{key}`")
        return of(**{key: _checked(key, item, keys) for key, item in value.items()})

    return check


def _list_of(name: str, check: Check) -> Check:
    def check_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError(f"a list of tables ([[{name}]])")
        return tuple(check(item) for item in value)

    return check_all


def _rules(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ValueError("a table of rule ids")
    return MappingProxyType({rule: _checked(rule, word, {rule: SEVERITY}) for rule, word in value.items()})


class _Wrong(ValueError):
    """A nested key is wrong: the message already names it."""


def _checked(key: str, value: Any, keys: Mapping[str, Check]) -> Any:
    if key not in keys:
        raise _Wrong(f"`{key}` is not a key; valid keys: {', '.join(sorted(keys))}")
    try:
        return keys[key](value)
    except _Wrong as error:
        raise _Wrong(f"in `{key}`: {error}") from None
    except ValueError as error:
        raise _Wrong(f"`{key}` has the value {value!r}; expected {error}") from None


SEVERITY = _one_of("off", *Severity)
SYSTEM_KEYS: Mapping[str, Check] = {
    "system": _text,
    "root": _directory,
    "migrations_dir": _directory,
    "database": _text,
    "python": _text,
    "single_transaction": _flag,
}
MASKING_KEYS: Mapping[str, Check] = dict.fromkeys(
    ("table", "column", "function", "value", "schema", "database"), _text
)
LOCAL_KEYS: Mapping[str, Check] = {"dump": _text, "postgres": _text}
KEYS: Mapping[str, Check] = {
    "project_id": _text,
    "parent": _text,
    "database": _text,
    "role": _text,
    "ttl": _duration(MAX_TTL),
    "data": _one_of("full", "schema-only", "anonymized"),
    "deadline": _duration(MAX_DEADLINE),
    "on_unavailable": _one_of("block", "warn"),
    "base": _text,
    "env_passthrough": _texts,
    "verbose": _flag,
    "systems": _list_of("systems", _table(SystemSettings, SYSTEM_KEYS, required=("system",))),
    "rules": _rules,
    "masking": _list_of("masking", _table(MaskingRule, MASKING_KEYS, required=("table", "column"))),
    "local": _table(LocalSettings, LOCAL_KEYS),
}
SECRET_KEYS = ("api_key", "neon_api_key")
FROM_ENVIRONMENT = {"NEON_PROJECT_ID": "project_id"}  # besides NEON_HOOKS_<KEY>
NOT_FROM_ENVIRONMENT = ("systems", "rules", "masking", "local")


def load(
    texts: Mapping[str, str], environ: Mapping[str, str], flags: Mapping[str, Any] | None = None
) -> Settings:
    """Settings from the files' ``texts`` (name -> contents), the environment and the flags that are not None.

    Raises UsageError that names the file or variable, the key and the valid values.
    """
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}

    def take(key: str, value: Any, source: str, name: str = "") -> None:
        try:
            values[key] = _checked(key, value, KEYS)
        except _Wrong as error:
            message = str(error).replace(f"`{key}`", f"`{name}`", 1) if name else str(error)
            raise UsageError(f"{source}: {message}", fix="the README lists every setting") from None
        origin[key] = source

    for name, table in _tables(texts):
        for key, value in table.items():
            if key in SECRET_KEYS:
                raise UsageError(
                    f"{name}: `{key}` is a secret and must not stand in a file that can be committed",
                    fix="remove it there, set NEON_API_KEY in the environment, and make a new key at " + KEY_PAGE,
                )
            take(key, value, name)
    for key in KEYS:
        variable = f"NEON_HOOKS_{key.upper()}"
        if key not in NOT_FROM_ENVIRONMENT and environ.get(variable):
            take(key, environ[variable], "environment", variable)
    for variable, key in FROM_ENVIRONMENT.items():
        if environ.get(variable) and origin.get(key) != "environment":
            take(key, environ[variable], "environment", variable)
    for key, value in (flags or {}).items():
        if value is not None:
            take(key, value, f"--{key.replace('_', '-')}")
    settings = Settings(
        **values,
        api_key=environ.get("NEON_API_KEY", "").strip(),
        api_host=environ.get("NEON_API_HOST", "").strip().rstrip("/") or DEFAULT_API_HOST,
        origin=MappingProxyType(origin),
    )
    _check_masking(settings)
    return settings


def _check_masking(settings: Settings) -> None:
    """Nothing may pass for anonymized that is not."""
    if settings.data == "anonymized" and not settings.masking:
        raise UsageError(
            f'{settings.origin["data"]}: `data` is "anonymized", and no column is named in [[masking]]',
            fix='add entries such as: [[masking]] table = "users", column = "email", function = "anon.fake_email()"',
        )


def _tables(texts: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """The settings tables of the files, the weaker one first."""
    found = []
    for name in reversed(FILES):
        text = texts.get(name, "")
        if not text or (name == "pyproject.toml" and "neon-hooks" not in text):
            continue
        import tomllib  # only where there is a file to read: the no-op path stays light

        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{name}: not valid TOML: {error}", fix="correct the file") from None
        if name == "pyproject.toml":
            document = document.get("tool", {}).get("neon-hooks", {})
        found.append((name, document))
    return found

