from __future__ import annotations

import pytest

from neon_hooks.errors import UsageError
from neon_hooks.limits import Limits, TableLimits
from neon_hooks.settings import DEFAULT_API_HOST, Settings, SystemSettings, load

TOML = ".neon-hooks.toml"


def test_defaults_are_the_documented_ones() -> None:
    settings = load({}, {})
    assert settings == Settings()
    assert (settings.ttl, settings.deadline, settings.on_unavailable) == (14400.0, 120.0, "block")
    assert settings.api_host == DEFAULT_API_HOST


def test_a_file_sets_every_kind_of_key() -> None:
    text = """
        project_id = "calm-sea-123"
        ttl = "1h"
        env_passthrough = ["FERNET_KEY"]
        [[systems]]
        system = "sql"
        root = "./db/"
        single_transaction = true
        [rules]
        edited-migration = "warning"
        [local]
        dump = "schema.sql"
    """
    settings = load({TOML: text}, {})
    assert settings.project_id == "calm-sea-123"
    assert settings.ttl == 3600.0
    assert settings.env_passthrough == ("FERNET_KEY",)
    assert settings.systems == (SystemSettings("sql", root="db", single_transaction=True),)
    assert settings.rules == {"edited-migration": "warning"}
    assert settings.local.dump == "schema.sql"


@pytest.mark.parametrize("command", ['"make \'up now\'"', '["make", "up now"]'])
def test_a_command_is_a_text_or_a_list(command: str) -> None:
    (entry,) = load({TOML: f"[[systems]]\nsystem = 'goose'\ncommand = {command}"}, {}).systems
    assert entry.command == "make 'up now'"


def test_thresholds_are_milliseconds_and_a_table_may_have_its_own() -> None:
    text = """
        [thresholds]
        writes_blocked = "2s"
        large_table = 5000
        [tables.orders]
        reads_blocked = "50ms"
        [tables."audit.log"]
        writes_blocked = "1m"
    """
    limits = load({TOML: text}, {}).limits
    assert (limits.reads_blocked, limits.writes_blocked, limits.large_table, limits.batch) == (100.0, 2000.0, 5000, 50_000)
    assert limits.of("public.orders") == TableLimits(50.0, 2000.0)
    assert limits.of("audit.log") == TableLimits(100.0, 60_000.0)
    assert limits.of("public.log") == TableLimits(100.0, 2000.0)
    assert load({}, {}).limits == Limits()


def test_a_status_command_has_a_family_and_variables_as_the_command_has() -> None:
    text = '[[systems]]\nsystem = "alembic"\nstatus = "check.sh"\nfamily = "native"\nurl_variables = ["SHOP"]'
    (entry,) = load({TOML: text}, {}).systems
    assert (entry.command, entry.status, entry.family) == ("", "check.sh", "native")


def test_trials_are_switched_by_the_file_and_by_the_environment() -> None:
    off = {TOML: "[trials]\ndown_and_up = false"}
    assert load({}, {}).trials.down_and_up and not load(off, {}).trials.down_and_up
    assert load(off, {"NEON_HOOKS_TRIALS_DOWN_AND_UP": "yes"}).trials.down_and_up
    limits = load({}, {"NEON_HOOKS_THRESHOLDS_READS_BLOCKED": "2s", "NEON_HOOKS_THRESHOLDS_BATCH": "7"}).limits
    assert (limits.reads_blocked, limits.writes_blocked, limits.batch) == (2000, 500, 7)
    with pytest.raises(UsageError, match="NEON_HOOKS_THRESHOLDS_BATCH"):
        load({}, {"NEON_HOOKS_THRESHOLDS_BATCH": "many"})
    assert load({}, {}).trials.record and not load({}, {"NEON_HOOKS_TRIALS_RECORD": "no"}).trials.record
    named = load({TOML: '[trials]\nqueries = ["db/a.sql", "./b/"]'}, {}).trials.queries
    assert (named, load({}, {"NEON_HOOKS_TRIALS_QUERIES": "db/a b.sql"}).trials.queries) == (("db/a.sql", "b"), ("db/a b.sql",))
    assert not load({}, {}).trials.production_queries
    with pytest.raises(UsageError, match="NEON_HOOKS_TRIALS_DOWN_AND_UP.*'never'"):
        load({}, {"NEON_HOOKS_TRIALS_DOWN_AND_UP": "never"})


def test_flags_win_over_environment_over_file_over_pyproject() -> None:
    texts = {
        "pyproject.toml": '[tool.neon-hooks]\nparent = "a"\nrole = "a"\ndatabase = "a"\nbase = "a"',
        TOML: 'parent = "b"\nrole = "b"\ndatabase = "b"',
    }
    environ = {"NEON_HOOKS_PARENT": "c", "NEON_HOOKS_ROLE": "c"}
    settings = load(texts, environ, {"parent": "d", "database": None})
    assert (settings.parent, settings.role, settings.database, settings.base) == ("d", "c", "b", "a")
    assert settings.origin["role"] == "environment"


def test_the_project_id_of_our_own_variable_wins_over_neons() -> None:
    environ = {"NEON_PROJECT_ID": "neons", "NEON_HOOKS_PROJECT_ID": "ours"}
    assert load({}, environ).project_id == "ours"
    assert load({TOML: 'project_id = "file"'}, {"NEON_PROJECT_ID": "neons"}).project_id == "neons"


def test_a_pyproject_without_our_table_is_not_read() -> None:
    assert load({"pyproject.toml": "this is [ not TOML"}, {}) == Settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("projekt_id = 'x'", ["projekt_id", "project_id"]),
        ("ttl = 4", ["ttl", '"4h"']),
        ("ttl = '31d'", ["ttl", "2.592e+06"]),
        ("deadline = '10m'", ["deadline", "240"]),
        ("data = 'none'", ["data", '"schema-only"']),
        ("[[systems]]\nsystem = 'custom'\ncommand = 'x'", ["custom", "`table`, `id`"]),
        ("[[systems]]\nsystem = 'goose'\ntable = 'x'", ["table", 'system = "custom"']),
        ("[[systems]]\nsystem = 'goose'\nfamily = 'node'", ["family", "`command`"]),
        ("[[systems]]\nsystem = 'goose'\ncommand = ''", ["command", '"make migrate"']),
        ("[[systems]]\nsystem = 'goose'\nstatus = []", ["status", '"make migrate"']),
        ("[[systems]]\nsystem = 'goose'\ncommand = \"it's\"", ["command", '"make migrate"']),
        ("[[systems]]\nsystem = 'custom'\nid = 'a; drop table b'", ["id", "one SQL expression"]),
        ("[[systems]]\nsystem = 'custom'\nid_pattern = '('", ["id_pattern", "regular expression"]),
        ("[[systems]]\nsystem = 'goose'\nurl_variables = ['a b']", ["url_variables", "names of environment"]),
        ("on_unavailable = 'skip'", ["on_unavailable", '"warn"']),
        ("systems = 'sql'", ["systems", "[[systems]]"]),
        ("[[systems]]\nroot = 'db'", ["systems", "system"]),
        ("[[systems]]\nsystem = 'sql'\nroot = '../x'", ["root", "inside the repository"]),
        ("[[systems]]\nsystem = 'sql'\nroots = 'x'", ["roots", "single_transaction"]),
        ("[rules]\nedited-migration = 'of'", ["edited-migration", '"off"']),
        ("[thresholds]\nreads_blocked = 100", ["thresholds", "reads_blocked", '"500ms"']),
        ("[thresholds]\nreads_blocked = '0s'", ["reads_blocked", '"500ms"']),
        ("[thresholds]\nreads_blocked = 'soon'", ["reads_blocked", "'soon'", '"500ms"']),
        ("[thresholds]\nlarge_table = '1000'", ["large_table", "a whole number, at least 1"]),
        ("[thresholds]\nbatch = true", ["batch", "a whole number"]),
        ("[thresholds]\nwrites = '1s'", ["`writes`", "writes_blocked", "lock_timeout"]),
        ("[tables.orders]\nbatch = 5", ["tables", "`batch`", "reads_blocked, writes_blocked"]),
        ("[tables.orders]", ["tables", "`orders`", "`reads_blocked`, `writes_blocked`"]),
        ("[tables.shop.orders]\nreads_blocked = '1s'", ['[tables."shop.orders"]']),
        ("tables = 'orders'", ["tables", "a table of table names"]),
        ("verbose = 3", ["verbose", "true or false"]),
        ("[trials]\ndown = false", ["trials", "down_and_up", "drift", "contents", "history"]),
        ("[trials]\nqueries = '../q.sql'", ["queries", "inside the repository"]),
        ("[trials]\ndown_and_up = 'no way'", ["down_and_up", "true or false"]),
        ("parent = 'x", ["not valid TOML"]),
    ],
)
def test_a_wrong_file_is_refused_with_file_key_and_valid_values(text: str, named: list[str]) -> None:
    with pytest.raises(UsageError) as error:
        load({TOML: text}, {})
    for word in (TOML, *named):
        assert word in error.value.message
    assert error.value.fix


def test_a_wrong_variable_is_refused_by_its_name() -> None:
    with pytest.raises(UsageError, match="NEON_HOOKS_DEADLINE"):
        load({}, {"NEON_HOOKS_DEADLINE": "soon"})


@pytest.mark.parametrize("key", ["api_key", "neon_api_key"])
def test_the_api_key_in_a_file_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(UsageError) as error:
        load({TOML: f'{key} = "napi_canary"'}, {})
    assert "secret" in error.value.message
    assert "napi_canary" not in error.value.message + error.value.fix


def test_the_api_key_is_in_no_repr() -> None:
    assert "napi_canary" not in repr(load({}, {"NEON_API_KEY": "napi_canary"}))
