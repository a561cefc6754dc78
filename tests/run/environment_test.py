"""What the project's tool sees of the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from neon_hooks.dsn import Dsn
from neon_hooks.run.dialects import is_postgres, pg_variables, translated, url
from neon_hooks.run.environment import NOWHERE, PLACEHOLDER, URL_NAMES, Flooded, flood
from neon_hooks.run.names import dotenv_values, names_read, parse_dotenv

TEST = Dsn(
    "ep-test.example.net",
    "shop",
    "app",
    "p@ss/w'd",
    params={"sslmode": "require", "channel_binding": "require"},
)
TEST_URL = TEST.uri()
PRODUCTION = "production.example.com"


def seen(environ: dict[str, str], **more: Any) -> Flooded:
    return flood(environ, **{"dotenv": {}, "mentioned": {}, "dsn": TEST, **more})


LOGIN = "app:p%40ss%2Fw%27d@ep-test.example.net/shop"
LIBPQ = "?sslmode=require&channel_binding=require"
DIALECTS = {
    "postgres://u:p@production.example.com/db": f"postgres://{LOGIN}{LIBPQ}",
    "postgresql+psycopg://production.example.com": f"postgresql+psycopg://{LOGIN}{LIBPQ}",
    "postgresql+asyncpg://production.example.com": f"postgresql+asyncpg://{LOGIN}?ssl=require",
    "postgresql+pg8000://production.example.com": f"postgresql+pg8000://{LOGIN}",
    "postgis://production.example.com/db": f"postgis://{LOGIN}{LIBPQ}",
    "jdbc:postgresql://production.example.com/db": "jdbc:postgresql://ep-test.example.net:5432/shop"
    "?user=app&password=p%40ss%2Fw%27d&sslmode=require",
    "Host=production.example.com;Database=db;Username=u": "Host=ep-test.example.net;Port=5432;Database=shop;"
    'Username=app;Password="p@ss/w\'d";SSL Mode=Require',
    "host=production.example.com dbname=db user=u": "host=ep-test.example.net port=5432 dbname=shop user=app"
    " password='p@ss/w\\'d' sslmode=require channel_binding=require",
}


@pytest.mark.parametrize("value", DIALECTS)
def test_an_address_is_replaced_in_its_own_dialect(value: str) -> None:
    assert is_postgres(value)
    assert translated(value, TEST) == DIALECTS[value]
    assert seen({"ANYTHING": value}).variables["ANYTHING"] == DIALECTS[value]


@pytest.mark.parametrize(
    "value", ["https://example.com", "mysql://u@h/d", "sqlite:///x.db", "host", "", "redis://h", "a=b"]
)
def test_what_is_no_address_of_a_postgres_is_not_taken_for_one(value: str) -> None:
    assert not is_postgres(value)


def test_a_host_that_is_an_ipv6_address_stays_one() -> None:
    local = Dsn("::1", "shop", "app", port=5433)
    assert url(local) == "postgresql://app@[::1]:5433/shop"
    assert translated("jdbc:postgresql://x/y", local).startswith("jdbc:postgresql://[::1]:5433/")


@pytest.mark.parametrize("name", URL_NAMES)
def test_well_known_names_are_set_even_when_nobody_mentions_them(name: str) -> None:
    assert seen({}).variables[name] == TEST_URL


PARTS = {
    **dict.fromkeys(("DB_HOST", "POSTGRES_SERVER", "RDS_HOSTNAME", "PGHOST"), "ep-test.example.net"),
    **dict.fromkeys(("POSTGRES_USER", "SHOP_DB_USERNAME"), "app"),
    **dict.fromkeys(("DB_PASSWORD", "DATABASE_PASS"), "p@ss/w'd"),
    **dict.fromkeys(("POSTGRES_DB", "DB_NAME", "DB_DATABASE"), "shop"),
    "DB_PORT": "5432",
}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("source", ["environ", "dotenv", "mentioned"])
def test_parts_of_an_address_are_replaced_wherever_they_are_named(name: str, source: str) -> None:
    given = {"environ": {}, "dotenv": {}, "mentioned": {}, source: {name: PRODUCTION}}
    assert seen(**given).variables[name] == PARTS[name]


@pytest.mark.parametrize(
    "name", ["MYSQL_DB_HOST", "MONGO_DB_NAME", "REDIS_DB_PORT", "HOST", "USER", "DEBUG", "DB_ENGINE"]
)
def test_names_of_other_things_keep_their_values(name: str) -> None:
    assert seen({name: "value"}).variables[name] == "value"


def test_libpq_is_led_to_the_test_database_and_nowhere_else() -> None:
    elsewhere = {
        "PGHOST": PRODUCTION, "PGHOSTADDR": "192.0.2.1", "PGSERVICE": "production", "PGPORT": "1",
        "PGSERVICEFILE": "/etc/pg_service.conf", "PGPASSFILE": "/root/.pgpass",
        "PGOPTIONS": "-c x=y", "PGSSLMODE": "disable", "PGSSLROOTCERT": "/x",
    }  # fmt: skip
    variables = seen(elsewhere).variables
    assert {name: value for name, value in variables.items() if name.startswith("PG")} == {
        **pg_variables(TEST), "PGSERVICEFILE": os.devnull, "PGPASSFILE": os.devnull,
    }  # fmt: skip
    assert variables["PGSSLMODE"] == variables["PGCHANNELBINDING"] == "require"


def test_what_a_dotenv_library_would_put_back_is_set_and_not_removed() -> None:
    dotenv = {
        "PGHOSTADDR": "192.0.2.1",
        "NEON_API_KEY": "napi_secret",
        "DATABASE_URL": f"postgres://{PRODUCTION}/x",
    }
    variables = seen({}, dotenv=dotenv).variables
    assert variables["PGHOSTADDR"] == ""
    assert "PGSERVICE" not in variables  # an empty one is an error to libpq
    assert variables["NEON_API_KEY"] == PLACEHOLDER
    assert PRODUCTION not in variables["DATABASE_URL"]


SECRETS = (
    "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "GITHUB_TOKEN", "STRIPE_API_KEY", "SECRET_KEY",
    "SMTP_PASSWORD", "SIGNING_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "SSL_PRIVATE_KEY",
    "SECRET_KEY_BASE", "VAULT_PASSPHRASE",
    "lower_case_token",
)  # fmt: skip


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("source", ["environ", "dotenv"])
def test_a_secret_is_withheld_and_named(name: str, source: str) -> None:
    given = {"environ": {}, source: {name: "canary"}}
    flooded = seen(**given)
    assert flooded.variables[name] == PLACEHOLDER
    assert flooded.replaced == (name,)


@pytest.mark.parametrize(
    "value", ["ghp_abcdef", "sk_live_abc", "AKIAIOSFODNN7", "-----BEGIN RSA PRIVATE KEY-----", "napi_x"]
)
def test_a_value_that_shows_what_it_is_is_withheld_whatever_its_name(value: str) -> None:
    assert seen({"HARMLESS": value}).variables["HARMLESS"] == PLACEHOLDER


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("redis://:pw@cache.example.com:6379/0", f"redis://{PLACEHOLDER}:{PLACEHOLDER}@{NOWHERE}/0"),
        ("https://key@sentry.example.com/12", f"https://{PLACEHOLDER}@{NOWHERE}/12"),
        ("mysql://u:pw@db.example.com/x", f"mysql://{PLACEHOLDER}:{PLACEHOLDER}@{NOWHERE}/x"),
    ],
)
def test_a_url_with_credentials_leads_nowhere(value: str, expected: str) -> None:
    flooded = seen({"SERVICE": value})
    assert flooded.variables["SERVICE"] == expected
    assert flooded.replaced == ("SERVICE",)


def test_a_url_without_credentials_stays() -> None:
    assert (
        seen({"REDIS_URL": "redis://localhost:6379/0"}).variables["REDIS_URL"] == "redis://localhost:6379/0"
    )


def test_what_is_passed_through_stays_unless_it_leads_to_a_database() -> None:
    environ = {
        "SECRET_KEY": "needed",
        "CACHE": "redis://:pw@h",
        "DATABASE_URL": f"postgres://{PRODUCTION}/x",
        "DB_HOST": "h",
    }
    flooded = seen(environ, passthrough=tuple(environ))
    assert (flooded.variables["SECRET_KEY"], flooded.variables["CACHE"]) == ("needed", "redis://:pw@h")
    assert PRODUCTION not in flooded.variables["DATABASE_URL"]
    assert flooded.variables["DB_HOST"] == TEST.host
    assert flooded.replaced == ()


def test_nothing_of_git_pre_commit_neon_or_ssh_is_handed_down() -> None:
    environ = dict.fromkeys(
        ("GIT_DIR", "PRE_COMMIT_TO_REF", "NEON_API_KEY", "NEON_HOOKS_DEADLINE", "SSH_AUTH_SOCK"), "x"
    )
    flooded = seen(environ, passthrough=("NEON_API_KEY",))
    assert not environ.keys() & flooded.variables.keys()


def test_this_hooks_own_environment_is_taken_out() -> None:
    environ = {
        "PATH": f"/hook/venv/bin{os.pathsep}/usr/bin{os.pathsep}/hook/venv2/bin", "VIRTUAL_ENV": "/hook/venv",
        "PYTHONHOME": "/hook/venv", "PYTHONPATH": f"/hook/venv/lib{os.pathsep}/mine",
    }  # fmt: skip
    variables = seen(environ, prefix="/hook/venv").variables
    assert variables["PATH"] == f"/usr/bin{os.pathsep}/hook/venv2/bin"
    assert variables["PYTHONPATH"] == "/mine"
    assert not {"VIRTUAL_ENV", "PYTHONHOME"} & variables.keys()
    assert seen({"VIRTUAL_ENV": "/mine"}, prefix="/hook/venv").variables["VIRTUAL_ENV"] == "/mine"


def test_the_tool_knows_that_nobody_looks_at_a_terminal() -> None:
    variables = seen({"FORCE_COLOR": "1", "TERM": "xterm", "CI": ""}).variables
    assert "FORCE_COLOR" not in variables
    assert (variables["CI"], variables["NO_COLOR"], variables["TERM"]) == ("1", "1", "dumb")


def test_the_scheme_of_a_default_in_the_code_is_kept() -> None:
    mentioned = {"DATABASE_URL": "postgresql+asyncpg://localhost/shop", "OTHER_DATABASE_URL": ""}
    variables = seen({}, mentioned=mentioned, scheme="postgresql+psycopg").variables
    assert variables["DATABASE_URL"].startswith("postgresql+asyncpg://app:")
    assert variables["OTHER_DATABASE_URL"].startswith("postgresql+psycopg://app:")


def test_nothing_prints_the_values() -> None:
    assert "p@ss" not in repr(seen({"SECRET": "canary"})) and "canary" not in repr(seen({"SECRET": "canary"}))


def test_a_dotenv_file_is_read_as_its_libraries_read_it() -> None:
    text = """
# a comment
export PLAIN=one
SPACED = two   # and a comment
SINGLE='a # b'
DOUBLE="line\\nbreak \\"quoted\\""
URL=postgres://u:p#1@host/db
EMPTY=
  INDENTED=yes
MULTI="first
second"
not a line
WINDOWS=crlf\r
"""
    assert parse_dotenv(text) == {
        "PLAIN": "one", "SPACED": "two", "SINGLE": "a # b", "DOUBLE": 'line\nbreak "quoted"', "EMPTY": "",
        "URL": "postgres://u:p#1@host/db", "INDENTED": "yes", "MULTI": "first\nsecond", "WINDOWS": "crlf",
    }  # fmt: skip


def test_inner_dotenv_files_win_and_some_only_name_names(tmp_path: Path) -> None:
    inner = tmp_path / "api"
    inner.mkdir()
    (tmp_path / ".env").write_text("A=outer\nB=outer\n")
    (inner / ".env").write_text("A=inner\nLOCAL=no\n")
    (inner / ".env.local").write_text("LOCAL=yes\n")
    (inner / ".env.production").write_text("A=production\nREPORTS_DATABASE_URL=postgres://h/x\n")
    values, names = dotenv_values([tmp_path, inner])
    assert values == {"A": "inner", "B": "outer", "LOCAL": "yes"}
    assert "REPORTS_DATABASE_URL" in names


READS = {
    'os.environ["A_DATABASE_URL"]': ("A_DATABASE_URL", ""),
    'os.environ.get("A", "postgres://x/y")': ("A", "postgres://x/y"),
    "os.getenv('A')": ("A", ""),
    'getenv("A", default="b")': ("A", "b"),
    "env.db('A')": ("A", ""),
    'config("A", default="b")': ("A", "b"),
    "process.env.A": ("A", ""),
    'process.env["A"]': ("A", ""),
    'ENV.fetch("A", "b")': ("A", "b"),
    'url = env("A")': ("A", ""),
    "url: ${A:-b}": ("A", "b"),
}


@pytest.mark.parametrize("text", READS)
def test_names_that_configuration_reads_are_found(text: str, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(f"x = 1\n{text}\n")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/config.js").write_text("process.env.NOT_OURS")
    assert names_read(tmp_path) == dict([READS[text]])
