"""Pushes of numbered SQL files, from git to the verdict."""

from __future__ import annotations

from tests.fix_gate import Team

FIRST = "migrations/0001_customers.sql"
SCHEMA = "CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL, name text);\n"
ROWS = "INSERT INTO customers SELECT i, 'c' || i % 999 || '@example.com', nullif(i % 7, 3) FROM generate_series(1, 1000) i"


def shop(team: Team) -> Team:
    team.deployed({FIRST: SCHEMA}, SCHEMA + ROWS)
    return team


def test_a_migration_that_works_on_the_data_goes_through_in_silence(team: Team) -> None:
    pushed = shop(team).push({"migrations/0002_country.sql": "ALTER TABLE customers ADD COLUMN country text;\n"})
    assert pushed.passed
    assert "neon" not in pushed.said
    assert pushed.document["verdict"] == "pass"
    (migration,) = pushed.document["migrations"]
    assert (migration["id"], migration["applied"]) == ("0002_country.sql", True)
    assert migration["statements"][0]["sql"] == "ALTER TABLE customers ADD COLUMN country text"
    assert pushed.document["schema_diff"] == "+column public.customers.country text"
    neon_branch = pushed.document["neon_branch"]
    assert neon_branch["deleted"] and neon_branch["expires_at"].endswith("Z")
    assert team.query("select count(*) from information_schema.columns where column_name = 'country'") == [(0,)]
    team.assert_main_is_untouched()


def test_a_migration_that_only_works_on_an_empty_database_is_blocked_with_evidence(team: Team) -> None:
    sql = "-- e-mail addresses are unique\n\nALTER TABLE customers\n  ADD CONSTRAINT email_key UNIQUE (email);\n"
    pushed = shop(team).push({"migrations/0002_unique.sql": sql})
    assert pushed.exit_code == 1
    assert 'migrations/0002_unique.sql:3: could not create unique index "email_key" [migration-fails]' in pushed.said
    assert "SQLSTATE 23505 (unique_violation)" in pushed.said
    assert "DETAIL: Key (email)=" in pushed.said
    assert "  fix: the values are not unique" in pushed.said
    assert "to skip this check once: git push --no-verify" in pushed.said
    assert pushed.document["verdict"] == "block"
    (finding,) = pushed.errors
    assert (finding["path"], finding["line"]) == ("migrations/0002_unique.sql", 3)
    assert team.clone.git("ls-remote", "origin", "refs/heads/main").split()[0] != team.clone.head
    team.assert_main_is_untouched()


def test_files_run_in_the_order_of_their_numbers_up_to_the_first_error(team: Team) -> None:
    files = {
        "migrations/9_first.sql": "ALTER TABLE customers ADD a int;",
        "migrations/10_second.sql": "ALTER TABLE customers ADD b int; ALTER TABLE customers ADD b int;",
        "migrations/11_third.sql": "ALTER TABLE customers ADD c int;",
    }
    pushed = shop(team).push(files)
    assert [(m["id"], m["applied"]) for m in pushed.document["migrations"]] == [
        ("9_first.sql", True),
        ("10_second.sql", False),
        ("11_third.sql", False),
    ]
    (finding,) = pushed.errors
    assert finding["evidence"]["sqlstate"] == "42701"
    assert "+column public.customers.b integer" in pushed.document["schema_diff"]  # as psql: no transaction


def test_single_transaction_rolls_the_whole_file_back(team: Team) -> None:
    settings = '[[systems]]\nsystem = "sql"\nsingle_transaction = true\n'
    files = {".neon-hooks.toml": settings, "migrations/2.sql": "ALTER TABLE customers ADD b int; SELECT 1/0;"}
    pushed = shop(team).push(files)
    assert pushed.document["findings"][0]["evidence"]["sqlstate"] == "22012"
    assert pushed.document["schema_diff"] == ""


def test_an_edited_renamed_or_deleted_migration_of_the_main_line_is_blocked_without_any_neon(team: Team) -> None:
    second, third = "migrations/0002_a.sql", "migrations/0003_b.sql"
    shop(team).deployed({second: "ALTER TABLE customers ADD a int;", third: "ALTER TABLE customers ADD b int;"})
    pushed = team.push({FIRST: SCHEMA.replace("text", "varchar"), second: None, third: None,
                        "migrations/0004_b.sql": "ALTER TABLE customers ADD b int;"})  # fmt: skip
    edits = {f["path"]: f["evidence"]["what"] for f in pushed.document["findings"] if f["rule"] == "edited-migration"}
    assert edits == {FIRST: "edited", second: "deleted", third: "renamed"}
    assert pushed.exit_code == 1


def test_an_edit_of_comments_only_is_none(team: Team) -> None:
    pushed = shop(team).push({FIRST: "-- what customers are\n" + SCHEMA})
    assert pushed.passed and pushed.document["findings"] == []


def test_a_push_without_migrations_asks_neon_nothing(team: Team) -> None:
    before = len(shop(team).emulator.requests)
    pushed = team.push({"README": "hello"})
    assert pushed.passed and pushed.document["verdict"] == "pass"
    assert len(team.emulator.requests) == before


def test_numbers_and_down_files_are_looked_after(team: Team) -> None:
    old = {f"migrations/000{n}_x.{way}": "SELECT 1;" for n in (2, 5) for way in ("sql", "down.sql")}
    shop(team).deployed({FIRST: SCHEMA, FIRST.replace(".sql", ".down.sql"): "DROP TABLE customers;", **old})
    pushed = team.push({"migrations/0003_y.sql": "SELECT 1;", "migrations/0005_z.sql": "SELECT 1;"})
    assert pushed.exit_code == 1
    assert sorted((f["rule"], f["path"]) for f in pushed.document["findings"]) == [
        ("duplicate-number", "migrations/0005_z.sql"),
        ("missing-down", "migrations/0003_y.sql"),
        ("missing-down", "migrations/0005_z.sql"),
        ("out-of-order", "migrations/0003_y.sql"),
    ]


def test_an_extension_that_the_server_does_not_offer_is_no_mistake_of_the_migration(team: Team) -> None:
    team.deployed({FIRST: SCHEMA}, SCHEMA)
    pushed = team.push({"migrations/0002_http.sql": "SELECT 1;\n\nCREATE EXTENSION http;\n"})
    assert (pushed.exit_code, pushed.rules) == (1, ["server-lacks"])
    assert 'migrations/0002_http.sql:3: the server lacks extension "http"' in pushed.said
