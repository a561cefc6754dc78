"""What a Neon database branch holds at the emulator, and who may do what in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.fix_emulator import Api, opened, query


@pytest.fixture
def fruit(api: Api) -> Iterator[Api]:
    """A table in main with three rows."""
    with opened(api.emulator.main) as main:
        main.execute("CREATE TABLE fruit (id int PRIMARY KEY, name text)")
        main.execute("INSERT INTO fruit VALUES (1, 'apple'), (2, 'pear'), (3, 'fig')")
    yield api
    query(api.emulator.main, "DROP TABLE fruit")


def test_a_child_begins_as_its_parent_and_goes_its_own_way(fruit: Api) -> None:
    child = fruit.create("child")
    query(child, "DELETE FROM fruit WHERE id = 1")
    query(child, "ALTER TABLE fruit ADD COLUMN colour text")
    query(fruit.emulator.main, "INSERT INTO fruit VALUES (4, 'plum')")
    assert query(child, "SELECT id FROM fruit ORDER BY id") == [(2,), (3,)]
    assert query(fruit.emulator.main, "SELECT * FROM fruit ORDER BY id")[-1] == (4, "plum")


def test_a_child_holds_what_was_there_when_the_request_was_answered(special: Callable[..., Api]) -> None:
    api = special(operation_seconds=0.3)
    query(api.emulator.main, "CREATE TABLE t AS SELECT 1 AS a")
    made = api.post("~/branches", {"endpoints": [{"type": "read_write"}]})
    query(api.emulator.main, "INSERT INTO t VALUES (2)")
    api.settle()
    assert query(made, "SELECT a FROM t") == [(1,)]


def test_a_child_of_a_busy_parent_is_whole(fruit: Api) -> None:
    query(fruit.emulator.main, "CREATE TABLE twice (a int, b int)")
    stop = threading.Event()

    def write() -> None:
        with opened(fruit.emulator.main) as main:
            number = 0
            while not stop.is_set():
                number += 1
                with main.transaction():
                    main.execute("INSERT INTO twice VALUES (%s, %s)", (number, number))
                    main.execute("UPDATE twice SET b = a + 1 WHERE a = %s", (number,))
                if number % 50 == 0:
                    main.execute("VACUUM FULL twice")
                    main.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS by_a ON twice (a)")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        children = [fruit.create(f"child-{number}") for number in range(4)]
    finally:
        stop.set()
        writer.join()
    counts = []
    for child in children:
        with opened(child) as connection:
            connection.execute("SET enable_seqscan = off")
            row = connection.execute(
                "SELECT count(*), count(*) FILTER (WHERE b <> a + 1), max(a) FROM twice"
            ).fetchone()
        assert row is not None and row[1] == 0 and row[0] == (row[2] or 0)
        counts.append(row[0])
    assert counts == sorted(counts) and counts[-1] > counts[0]
    query(fruit.emulator.main, "DROP TABLE twice")


def test_a_grandchild_comes_from_its_parent_and_not_from_main(fruit: Api) -> None:
    child = fruit.create("child")
    query(child, "DELETE FROM fruit")
    grandchild = fruit.create("grandchild", parent_id=child["branch"]["id"])
    assert query(grandchild, "SELECT count(*) FROM fruit") == [(0,)]


def test_a_parent_without_a_running_compute_is_copied_too(fruit: Api) -> None:
    parent = fruit.create("parent", compute=False)
    child = fruit.create("child", parent_id=parent["branch"]["id"])
    assert query(child, "SELECT count(*) FROM fruit") == [(3,)]


def test_deletion_ends_the_sessions_and_the_server(fruit: Api) -> None:
    made = fruit.create("cut")
    connection = opened(made)
    connection.execute("SELECT 1")
    fruit.remove(made["branch"]["id"])
    with pytest.raises(psycopg.errors.AdminShutdown, match="due to administrator command"):
        connection.execute("SELECT 1")
    connection.close()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        opened(made)


def test_roles_and_settings_are_each_ones_own(fruit: Api) -> None:
    one, two = fruit.create("one"), fruit.create("two")
    query(one, "CREATE ROLE reader NOLOGIN")
    query(one, "ALTER DATABASE neondb SET statement_timeout = '1234ms'")
    assert query(one, "SHOW statement_timeout") == [("1234ms",)]
    assert query(two, "SHOW statement_timeout") == [("0",)]
    assert query(two, "SELECT count(*) FROM pg_roles WHERE rolname = 'reader'") == [(0,)]


FORBIDDEN = {
    "changing the server": "ALTER SYSTEM SET work_mem = '1MB'",
    "switching triggers off": "SET session_replication_role = replica",
    "reading files": "SELECT pg_read_file('postgresql.conf')",
    "running programs": "COPY (SELECT 1) TO PROGRAM 'true'",
    "becoming the superuser": "SET ROLE postgres",
    "making a superuser": "CREATE ROLE root SUPERUSER",
}


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=FORBIDDEN)
def test_an_owner_is_no_superuser(api: Api, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(api.emulator.main, statement)


ALLOWED = {
    "a schema": "CREATE SCHEMA app",
    "a database": "CREATE DATABASE other",
    "a role": "CREATE ROLE app LOGIN PASSWORD 'a long enough password'",
    "a role that bypasses policies": "CREATE ROLE bypass BYPASSRLS",
    "a trusted extension": "CREATE EXTENSION pg_trgm",
    "uuid-ossp": 'CREATE EXTENSION "uuid-ossp"',
    "pgcrypto": "CREATE EXTENSION pgcrypto",
    "ending a session": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE false",
    "monitoring": "SELECT * FROM pg_stat_activity",
}


@pytest.fixture(scope="module")
def playground(_shared_emulator: object) -> Iterator[Api]:
    from neon_hooks.emulator import Emulator

    with Emulator() as emulator:
        client = Api(emulator)
        yield client
        client.close()


@pytest.mark.parametrize("statement", ALLOWED.values(), ids=ALLOWED)
def test_an_owner_may_do_what_neon_superuser_may(playground: Api, statement: str) -> None:
    query(playground.emulator.main, statement)


def test_extensions_of_neon_that_are_not_trusted_elsewhere_can_be_created(playground: Api) -> None:
    if (
        playground.emulator.neon_branches()
        and query(playground.emulator.main, "SHOW server_version_num")[0][0] < "18"
    ):
        pytest.skip("needs Postgres 18")
    query(playground.emulator.main, "CREATE EXTENSION vector")
    assert query(playground.emulator.main, "SELECT '[3,4]'::vector <-> '[0,0]'") == [(5.0,)]
    query(playground.emulator.main, "CREATE EXTENSION pg_stat_statements")
    assert query(playground.emulator.main, "SELECT count(*) >= 0 FROM pg_stat_statements") == [(True,)]


def test_a_wrong_password_does_not_get_in(api: Api) -> None:
    uri = api.emulator.main.uri().replace(api.emulator.main.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        opened(uri)


def test_the_superuser_has_no_known_password(api: Api) -> None:
    uri = api.emulator.main.uri().replace("neondb_owner", "postgres")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        opened(uri)


def test_what_sql_makes_is_found_and_counts(special: Callable[..., Api]) -> None:
    api = special()
    query(api.emulator.main, "CREATE DATABASE shop")
    main = api.emulator.neon_branches()[0]["id"]
    found = api.get(f"~/branches/{main}/databases")["databases"]
    assert [(item["name"], item["owner_name"]) for item in found] == [
        ("neondb", "neondb_owner"),
        ("shop", "neondb_owner"),
    ]
    made = api.create("child")
    assert "connection_uris" not in made
    uri = api.get(
        "~/connection_uri", branch_id=made["branch"]["id"], database_name="shop", role_name="neondb_owner"
    )["uri"]
    assert query(uri, "SELECT current_database()") == [("shop",)]


def test_roles_and_databases_are_made_changed_and_dropped(special: Callable[..., Api]) -> None:
    api = special()
    made = api.create("child")
    path = f"~/branches/{made['branch']['id']}"
    role = api.post(path + "/roles", {"role": {"name": 'O\'Neil "x"'}})["role"]
    api.settle()
    api.post(path + "/databases", {"database": {"name": "my shop", "owner_name": role["name"]}})
    api.settle()
    login = {"branch_id": made["branch"]["id"], "database_name": "my shop", "role_name": role["name"]}
    uri = api.get("~/connection_uri", **login)["uri"]
    assert query(uri, "SELECT current_user, current_database()") == [(role["name"], "my shop")]
    name = "O'Neil%20%22x%22"
    assert api.get(f"{path}/roles/{name}/reveal_password") == {"password": role["password"]}
    new = api.post(f"{path}/roles/{name}/reset_password")["role"]["password"]
    api.settle()
    assert new != role["password"] and new in api.get("~/connection_uri", **login)["uri"]
    assert query(api.get("~/connection_uri", **login)["uri"], "SELECT 1") == [(1,)]
    assert api.refused("DELETE", f"{path}/roles/{name}")[0] == 422
    api.patch(f"{path}/databases/my%20shop", {"database": {"name": "store", "owner_name": "neondb_owner"}})
    api.settle()
    assert api.get(f"{path}/databases/store")["database"]["owner_name"] == "neondb_owner"
    api.delete(f"{path}/databases/store")
    api.settle()
    api.delete(f"{path}/roles/{name}")
    api.settle()
    assert [item["name"] for item in api.get(path + "/roles")["roles"]] == ["neondb_owner"]
    assert [item["name"] for item in api.get(path + "/databases")["databases"]] == ["neondb"]
    assert api.request("DELETE", f"{path}/roles/{name}").status_code == 204
    assert api.request("DELETE", f"{path}/databases/store").status_code == 204


@pytest.mark.parametrize(
    ("status", "path", "body"),
    [
        (409, "roles", {"role": {"name": "neondb_owner"}}),
        (400, "roles", {"role": {"name": "postgres"}}),
        (400, "roles", {"role": {"name": "pg_mine"}}),
        (400, "roles", {"role": {"name": "x" * 64}}),
        (400, "roles", {}),
        (409, "databases", {"database": {"name": "neondb", "owner_name": "neondb_owner"}}),
        (400, "databases", {"database": {"name": "template1", "owner_name": "neondb_owner"}}),
        (404, "databases", {"database": {"name": "x", "owner_name": "nobody"}}),
    ],
)
def test_a_wrong_role_or_database_is_refused(
    api: Api, status: int, path: str, body: dict[str, object]
) -> None:
    main = api.emulator.neon_branches()[0]["id"]
    assert api.refused("POST", f"~/branches/{main}/{path}", body)[0] == status


def test_passwords_can_be_kept_from_the_api(special: Callable[..., Api]) -> None:
    api = special(store_passwords=False)
    main = api.emulator.neon_branches()[0]["id"]
    answer = api.refused("GET", f"~/branches/{main}/roles/neondb_owner/reveal_password")
    assert answer == (412, "Storing passwords is disabled")


def test_a_compute_can_be_suspended_started_restarted_and_removed(api: Api) -> None:
    made = api.create("compute")
    path = f"~/endpoints/{made['endpoints'][0]['id']}"
    assert [item["action"] for item in api.post(path + "/suspend")["operations"]] == ["suspend_compute"]
    api.settle()
    assert api.get(path)["endpoint"]["current_state"] == "idle"
    with pytest.raises(psycopg.OperationalError):
        opened(made)
    assert api.post(path + "/suspend")["operations"] == []
    api.post(path + "/start")
    api.settle()
    before = query(made, "SELECT pg_postmaster_start_time()")
    api.post(path + "/restart")
    api.settle()
    assert query(made, "SELECT pg_postmaster_start_time()") > before
    api.delete(path)
    api.settle()
    assert api.refused("GET", path) == (404, "endpoint not found")
    assert api.request("DELETE", path).status_code == 204
    again = api.post("~/endpoints", {"endpoint": {"branch_id": made["branch"]["id"], "type": "read_write"}})
    api.settle()
    port = api.get(f"~/endpoints/{again['endpoint']['id']}")["endpoint"]["port"]
    assert query(
        f"{made['connection_uris'][0]['connection_uri'].rpartition(':')[0]}:{port}/neondb", "SELECT 1"
    )
    body = {"endpoint": {"branch_id": made["branch"]["id"], "type": "read_write"}}
    assert api.refused("POST", "~/endpoints", body) == (409, "read_write endpoint already exists")


def test_the_settings_of_a_compute_can_be_changed(api: Api) -> None:
    path = f"~/endpoints/{api.create('compute')['endpoints'][0]['id']}"
    body = {
        "autoscaling_limit_max_cu": 2,
        "suspend_timeout_seconds": 300,
        "settings": {"pg_settings": {"a": "b"}},
    }
    changed = api.patch(path, {"endpoint": body})["endpoint"]
    assert (changed["autoscaling_limit_max_cu"], changed["suspend_timeout_seconds"]) == (2, 300)
    assert changed["settings"]["pg_settings"] == {"a": "b"}
    assert api.refused("PATCH", path, {"endpoint": {"settings": {}}}) == (400, "settings must not be nil")
