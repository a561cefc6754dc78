"""Every setting, from wherever it comes, checked in one place.

Order: defaults < file < environment (NEON_HOOKS_*) < flags. The file is ``.neon-hooks.toml`` or the
table ``[tool.neon-hooks]`` of pyproject.toml, read from the commit that is validated. The Neon API key
comes from the environment only. Nothing here opens a file or knows git: texts are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from neon_hooks import kinds
from neon_hooks.errors import UsageError
from neon_hooks.findings import Severity
from neon_hooks.kinds import Check
from neon_hooks.limits import Limits, TableLimits

FILES = (".neon-hooks.toml", "pyproject.toml")
DEFAULT_API_HOST = "https://console.neon.tech/api/v2"
KEY_PAGE = "https://console.neon.tech/app/settings#api-keys"
MAX_TTL = 30 * 86400.0  # Neon: at most 30 days (docs, branch expiration)
MAX_DEADLINE = 240.0  # Git hosts drop an SSH push that idles for about 360 s


@dataclass(frozen=True)
class SystemSettings:
    """One ``[[systems]]`` entry: adds a migration system, or says more about a detected one.

    ``command`` is started in the place of the system's own (words as in a shell), found as tools of its
    ``family`` are, with the connection string in ``url_variables``. So are ``status``, which is asked after
    the migrations and ends with an error where the database is not as it should be, and ``down``, which
    takes the pushed migrations back. ``table``, ``id`` (an SQL expression over its row), ``schema`` and
    ``id_pattern`` are for the system "custom": a runner of the team's own.
    """

    system: str
    root: str = ""
    migrations_dir: str = ""
    database: str = ""
    python: str = ""
    single_transaction: bool = False
    command: str = ""
    status: str = ""
    down: str = ""
    family: str = ""
    url_variables: tuple[str, ...] = ()
    table: str = ""
    id: str = ""
    schema: str = ""
    id_pattern: str = ""


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
    """``[local]``: the embedded Postgres that stands in for Neon when NEON_API_HOST is ``local``.

    ``roles`` are made before anything else: production's own, which no migration creates.
    """

    dump: str = ""
    postgres: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class SchemaSettings:
    """``[schema]``: where the desired-state schema of a project without a migration system is.

    ``path`` is a file or a folder of SQL files. ``renames`` are decisions, each as ``OLD=NEW``.
    """

    path: str = ""
    migrations_dir: str = ""
    renames: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrialSettings:
    """``[trials]``: experiments that can be switched off.

    ``cuts``: at how many places ``rerun`` interrupts a push. ``queries`` are files or folders of the deployed code's queries; ``production_queries``: those that the parent
    keeps in pg_stat_statements are tried, too.
    """

    down_and_up: bool = True
    record: bool = True
    drift: bool = True
    contents: bool = True
    history: bool | None = None  # for short ones
    rerun: bool | None = None  # for migrations of more than one transaction
    cuts: int = 10
    offers: bool = True
    inserts: bool = True
    queries: tuple[str, ...] = ()
    production_queries: bool = False


@dataclass(frozen=True)
class Settings:
    """``ttl`` and ``deadline`` are seconds, ``thresholds`` and ``tables`` milliseconds.

    ``tables`` has what is set for single tables, by name with schema; ``limits`` is both together.
    ``origin`` says where each key that is set came from.
    """

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
    thresholds: Limits = Limits()
    tables: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    masking: tuple[MaskingRule, ...] = ()
    trials: TrialSettings = TrialSettings()
    local: LocalSettings = LocalSettings()
    schema: SchemaSettings = SchemaSettings()
    verbose: bool = False
    api_key: str = field(default="", repr=False)
    api_host: str = DEFAULT_API_HOST
    origin: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def is_local(self) -> bool:
        return self.api_host == "local"

    @property
    def limits(self) -> Limits:
        """What is not set for a table is as for all."""
        common = TableLimits(self.thresholds.reads_blocked, self.thresholds.writes_blocked)
        return replace(self.thresholds, tables={name: replace(common, **own) for name, own in self.tables.items()})


def _rules(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ValueError("a table of rule ids")
    checked = {rule: kinds.checked(rule, word, {rule: SEVERITY}) for rule, word in value.items()}
    return MappingProxyType(checked)


def _limits_of_tables(value: Any) -> Mapping[str, Mapping[str, float]]:
    """By name with schema; a name without one means public."""
    if not isinstance(value, dict):
        raise ValueError("a table of table names")
    found = {}
    for name, limits in value.items():
        if not isinstance(limits, dict) or not limits:
            raise kinds.Wrong(f"`{name}` needs one of the keys {', '.join(f'`{key}`' for key in TABLE_KEYS)}")
        if any(isinstance(limit, dict) for limit in limits.values()):
            raise kinds.Wrong(f'`{name}`: a name with schema stands in quotes: [tables."{name}.{next(iter(limits))}"]')
        own = {key: kinds.checked(key, limit, TABLE_KEYS) for key, limit in limits.items()}
        found[name if "." in name else f"public.{name}"] = MappingProxyType(own)
    return MappingProxyType(found)


def _system(value: Any) -> SystemSettings:
    """A key that would have no effect is a mistake that must not go unnoticed."""
    entry: SystemSettings = kinds.table(SystemSettings, SYSTEM_KEYS, required=("system",))(value)
    starts = any(getattr(entry, key) for key in COMMANDS)
    needs: dict[str, Sequence[str]] = dict.fromkeys(() if starts else ("family", "url_variables"), ("command",))
    if entry.system == "custom":
        needs["system"] = ("command", "table", "id")
    else:
        needs |= dict.fromkeys(("table", "id", "schema", "id_pattern"), ('system = "custom"',))
    for key, others in needs.items():
        missing = [other for other in others if not getattr(entry, other, "")]
        if getattr(entry, key) and missing:
            shown = f'{key} = "custom"' if key == "system" else key
            raise kinds.Wrong(f"`{shown}` also needs {', '.join(f'`{other}`' for other in missing)}")
    return entry


COMMANDS = ("command", "status", "down")
SEVERITY = kinds.one_of("off", *Severity)
SYSTEM_KEYS: Mapping[str, Check] = {
    "system": kinds.text,
    "root": kinds.directory,
    "migrations_dir": kinds.directory,
    "database": kinds.text,
    "python": kinds.text,
    "single_transaction": kinds.flag,
    **dict.fromkeys(COMMANDS, kinds.command),
    "family": kinds.one_of("python", "node", "ruby", "jvm", "native"),
    "url_variables": kinds.names,
    "table": kinds.text,
    "id": kinds.expression,
    "schema": kinds.text,
    "id_pattern": kinds.pattern,
}
MASKING_KEYS: Mapping[str, Check] = dict.fromkeys(
    ("table", "column", "function", "value", "schema", "database"), kinds.text
)
TABLE_KEYS: Mapping[str, Check] = dict.fromkeys(("reads_blocked", "writes_blocked"), kinds.milliseconds)
THRESHOLD_KEYS: Mapping[str, Check] = {
    **TABLE_KEYS,
    "large_table": kinds.count,
    "batch": kinds.count,
    "compared": kinds.count,
    "lock_timeout": kinds.milliseconds,
}
TRIAL_KEYS: Mapping[str, Check] = {
    **dict.fromkeys(
        ("down_and_up", "drift", "contents", "history", "rerun", "inserts", "production_queries", "record", "offers"),
        kinds.flag,
    ),
    "cuts": kinds.count,
    "queries": kinds.paths,
}
LOCAL_KEYS: Mapping[str, Check] = {"dump": kinds.text, "postgres": kinds.text, "roles": kinds.texts}
SCHEMA_KEYS: Mapping[str, Check] = {
    "path": kinds.directory,
    "migrations_dir": kinds.directory,
    "renames": kinds.texts,
}
KEYS: Mapping[str, Check] = {
    "project_id": kinds.text,
    "parent": kinds.text,
    "database": kinds.text,
    "role": kinds.text,
    "ttl": kinds.duration(MAX_TTL),
    "data": kinds.one_of("full", "schema-only", "anonymized"),
    "deadline": kinds.duration(MAX_DEADLINE),
    "on_unavailable": kinds.one_of("block", "warn"),
    "base": kinds.text,
    "env_passthrough": kinds.texts,
    "verbose": kinds.flag,
    "systems": kinds.list_of("systems", _system),
    "rules": _rules,
    "thresholds": kinds.table(Limits, THRESHOLD_KEYS),
    "tables": _limits_of_tables,
    "masking": kinds.list_of("masking", kinds.table(MaskingRule, MASKING_KEYS, required=("table", "column"))),
    "trials": kinds.table(TrialSettings, TRIAL_KEYS),
    "local": kinds.table(LocalSettings, LOCAL_KEYS),
    "schema": kinds.table(SchemaSettings, SCHEMA_KEYS),
}
SECRET_KEYS = ("api_key", "neon_api_key")
FROM_ENVIRONMENT = {"NEON_PROJECT_ID": "project_id"}  # besides NEON_HOOKS_<KEY>
# Tables whose keys can each be given as NEON_HOOKS_<TABLE>_<KEY>.
OF_TABLES: Mapping[str, tuple[type[Any], Mapping[str, Check]]] = {
    "trials": (TrialSettings, TRIAL_KEYS),
    "thresholds": (Limits, THRESHOLD_KEYS),
}
NOT_FROM_ENVIRONMENT = ("systems", "rules", "thresholds", "tables", "masking", "trials", "local", "schema")


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
            values[key] = kinds.checked(key, value, KEYS)
        except kinds.Wrong as error:
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
    for nested, (kind, keys) in OF_TABLES.items():
        for key, check in keys.items():
            variable = f"NEON_HOOKS_{nested.upper()}_{key.upper()}"
            if environ.get(variable):
                value = _from_variable(variable, environ[variable], check)
                values[nested] = replace(values.get(nested, kind()), **{key: value})
                origin[nested] = "environment"
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


def _from_variable(variable: str, text: str, check: Check) -> Any:
    try:
        return check(int(text) if text.isdigit() and check is kinds.count else text)
    except ValueError as error:
        raise UsageError(
            f"environment: `{variable}` has the value {text!r}; expected {error}",
            fix="the README lists every setting",
        ) from None


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

