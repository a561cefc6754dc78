"""dbmate, goose, golang-migrate, sqlx, diesel, sqitch and yoyo: what is theirs, in which order, and what is new."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import pytest

from neon_hooks.database.connect import connect
from neon_hooks.database.inspect import bookkeeping_rows
from neon_hooks.errors import Unavailable
from neon_hooks.plan import Command, Migration, Unit, Work
from neon_hooks.run.placeholders import check
from neon_hooks.settings import Settings, SystemSettings
from neon_hooks.systems import by_name, detect, start_of, work_for
from tests.fix_systems import PROJECTS, Postgres, changes, tree, tree_of

Files = Mapping[str, str]
SQL = "CREATE TABLE t (id bigint);\n"
GO_MOD = "module shop\nrequire github.com/jackc/pgx/v5 v5.7.1\nrequire github.com/golang-migrate/migrate/v4 v4.18.1\n"
SQLITE_GO_MOD = "module shop\nrequire github.com/pressly/goose/v3 v3\nrequire modernc.org/sqlite v1\n"
CARGO = '[dependencies]\nsqlx = { version = "0.8", features = ["postgres"] }\n'
DIESEL_CARGO = '[dependencies]\ndiesel = { version = "2.2", features = ["postgres"] }\n'
DBMATE = f"-- migrate:up\n{SQL}\n-- migrate:down\nDROP TABLE t;\n"
GOOSE = f"-- +goose Up\n{SQL}\n-- +goose Down\nDROP TABLE t;\n"
GO = "package migrations\n\nfunc init() { goose.AddMigrationContext(up, down) }\n"
YOYO = 'from yoyo import step\n\nsteps = [step("CREATE TABLE t ()")]\n'
PLAN = "%syntax-version=1.0.0\n%project=shop\n\n"
SEA = '[dependencies.sea-orm-migration]\nversion = "1.1"\nfeatures = ["sqlx-postgres"]\n'
WHEN = "2024-01-01T00:00:00Z Ann <ann@example.com>"

FOUND: Mapping[str, tuple[Files, list[tuple[str, str, str]]]] = {
    "dbmate by its mark": ({"db/migrations/1_a.sql": DBMATE}, [("dbmate", "", "db/migrations")]),
    "dbmate below a manifest": (
        {"api/package.json": "{}", "api/db/migrations/1_a.sql": DBMATE}, [("dbmate", "api", "api/db/migrations")],
    ),
    "dbmate in a directory of any name": ({"sql/1_a.sql": DBMATE}, [("dbmate", "", "sql")]),
    "goose by its mark": (
        {"go.mod": "", "internal/postgres/migrations/001_a.sql": GOOSE},
        [("goose", "", "internal/postgres/migrations")],
    ),
    "goose in Go": (
        {"go.mod": "require github.com/lib/pq v1", "migrations/00001_a.go": GO}, [("goose", "", "migrations")],
    ),
    "golang-migrate by go.mod": (
        {"go.mod": GO_MOD, "db/migration/1_a.up.sql": SQL}, [("golang-migrate", "", "db/migration")],
    ),
    "golang-migrate by the Makefile": (
        {
            "Makefile": "up:\n\tmigrate -path migrations -database $(URL) up\n",
            "migrations/1_a.up.sql": SQL, "migrations/1_a.down.sql": "DROP TABLE t;",
        },
        [("golang-migrate", "", "migrations")],
    ),
    "golang-migrate for two databases": (
        {
            "go.mod": GO_MOD + "require modernc.org/sqlite v1\n",
            "migrations/postgres/1_a.up.sql": SQL, "migrations/sqlite/1_a.up.sql": SQL,
        },
        [("golang-migrate", "", "migrations/postgres")],
    ),
    "sqlx by Cargo.toml": (
        {"Cargo.toml": CARGO, "migrations/20240101_a.sql": SQL}, [("sqlx", "", "migrations")],
    ),
    "sqlx in pairs, not golang-migrate": (
        {"Cargo.toml": CARGO, "migrations/1_a.up.sql": SQL, "migrations/1_a.down.sql": "DROP TABLE t;"},
        [("sqlx", "", "migrations")],
    ),
    "sqlx in a workspace": (
        {
            "Cargo.toml": '[workspace]\nmembers = ["db"]\n', "db/Cargo.toml": CARGO, "migrations/1_a.sql": SQL,
            "migrations.sqlite/1_a.sql": SQL,
        },
        [("sqlx", "", "migrations")],
    ),
    "sqlx by what it has prepared": (
        {".sqlx/query-1.json": "{}", "Cargo.toml": "", "migrations/1_a.sql": SQL}, [("sqlx", "", "migrations")],
    ),
    "diesel by diesel.toml": (
        {"diesel.toml": "", "migrations/2024-01-01-000000_a/up.sql": SQL}, [("diesel", "", "migrations")],
    ),
    "diesel by Cargo.toml, for three databases": (
        {
            "Cargo.toml": DIESEL_CARGO, "migrations/postgresql/1_a/up.sql": SQL,
            "migrations/mysql/1_a/up.sql": SQL, "migrations/sqlite/1_a/up.sql": SQL,
        },
        [("diesel", "", "migrations/postgresql")],
    ),
    "sqitch": (
        {"sqitch.plan": f"{PLAN}a {WHEN} # x\n", "deploy/a.sql": SQL}, [("sqitch", "", "deploy")],
    ),
    "sqitch with a directory and a plan of its own": (
        {
            "sqitch.conf": "[core]\n\tengine = pg\n\ttop_dir = sql\n\tplan_file = sql/shop.plan\n",
            "sql/shop.plan": f"{PLAN}a {WHEN}\n", "sql/deploy/a.sql": SQL,
        },
        [("sqitch", "", "sql/deploy")],
    ),
    "a plan of sqitch that was left behind when its directory moved": (
        {
            "sqitch.conf": "[core]\n\tengine = pg\n\ttop_dir = ./sql\n",
            "sqitch.plan": f"{PLAN}old {WHEN}\n", "sql/sqitch.plan": f"{PLAN}a {WHEN}\n", "sql/deploy/a.sql": SQL,
        },
        [("sqitch", "", "sql/deploy")],
    ),
    "two plans of sqitch": (
        {
            "a/sqitch.plan": f"{PLAN}a {WHEN}\n", "a/deploy/a.sql": SQL,
            "b/sqitch.plan": f"{PLAN}a {WHEN}\n", "b/deploy/a.sql": SQL,
        },
        [("sqitch", "a", "a/deploy"), ("sqitch", "b", "b/deploy")],
    ),
    "yoyo by yoyo.ini": (
        {"yoyo.ini": "[DEFAULT]\nsources = ./db-migrations\n", "db-migrations/0001.a.sql": SQL},
        [("yoyo", "", "db-migrations")],
    ),
    "yoyo by its import": (
        {"requirements.txt": "yoyo-migrations", "migrations/0001.a.py": YOYO}, [("yoyo", "", "migrations")],
    ),
    "Atlas by its sum": (
        {"atlas.hcl": "", "migrations/atlas.sum": "h1:", "migrations/20240101_a.sql": SQL},
        [("atlas", "", "migrations")],
    ),
    "Atlas that only checks what goose applies": (
        {"migrations/atlas.sum": "h1:", "migrations/1_a.sql": GOOSE}, [("goose", "", "migrations")],
    ),
    "SeaORM": (
        {
            "migration/Cargo.toml": SEA, "migration/src/lib.rs": "vec![Box::new(m1_a::Migration)]",
            "migration/src/m1_a.rs": "",
        },
        [("seaorm", "migration", "migration/src")],
    ),
    "goose and dbmate in one repository": (
        {"a/migrations/1_a.sql": GOOSE, "b/migrations/1_a.sql": DBMATE},
        [("goose", "a", "a/migrations"), ("dbmate", "b", "b/migrations")],
    ),
}  # fmt: skip
NOT_FOUND: Mapping[str, Files] = {
    "ClickHouse's .up.sql": {
        "go.mod": GO_MOD, "migrations/1_a.up.sql": "CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id;",
    },
    "ClickHouse's directory": {"go.mod": GO_MOD, "clickhouse/migrations/1_a.up.sql": SQL},
    "MySQL's .up.sql": {"go.mod": GO_MOD, "migrations/1_a.up.sql": "CREATE TABLE `t` (id int AUTO_INCREMENT);"},
    "templates of Go": {
        "go.mod": GO_MOD, "migrations/1_a.up.sql": "CREATE TABLE {{ .Prefix }}t (id bigint);",
    },
    "goose on SQLite": {"go.mod": SQLITE_GO_MOD, "migrations/00001_a.sql": GOOSE},
    "goose in Go, on SQLite": {"go.mod": SQLITE_GO_MOD, "migrations/00001_a.go": GO},
    "goose's vendored copy": {"vendor/x/migrations/00001_a.sql": GOOSE},
    "goose's examples in tests": {"testdata/migrations/00001_a.sql": GOOSE},
    "diesel on SQLite": {
        "Cargo.toml": '[dependencies]\ndiesel = { version = "2", features = ["sqlite"] }\n',
        "migrations/1_a/up.sql": SQL,
    },
    "sqlx on SQLite": {
        "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8", features = ["sqlite"] }\n',
        "migrations/1_a.sql": SQL,
    },
    "sqlx as a library alone": {"Cargo.toml": CARGO, "src/main.rs": "fn main() {}"},
    "an up.sql of nobody": {"migrations/1_a/up.sql": SQL},
    "Atlas on MySQL": {"migrations/atlas.sum": "h1:", "migrations/1_a.sql": "CREATE TABLE `t` (id int);"},
    "SeaORM on SQLite": {
        "Cargo.toml": SEA.replace("postgres", "sqlite"), "src/lib.rs": "vec![Box::new(m1_a::Migration)]",
        "src/m1_a.rs": "",
    },
    "sqitch on SQLite": {
        "sqitch.conf": "[core]\n\tengine = sqlite\n", "sqitch.plan": f"{PLAN}a {WHEN}\n", "deploy/a.sql": SQL,
    },
    "yoyo on SQLite": {
        "yoyo.ini": "[DEFAULT]\nsources = migrations\ndatabase = sqlite:///x.db\n", "migrations/0001.a.py": YOYO,
    },
    "code that only imports yoyo": {"requirements.txt": "yoyo-migrations", "app/deploy.py": "import yoyo\n"},
}  # fmt: skip


@pytest.mark.parametrize("case", FOUND)
def test_a_system_is_found(case: str) -> None:
    files, expected = FOUND[case]
    units = detect(tree(files), Settings())
    assert [(unit.system, unit.root, unit.migrations_dir) for unit in units] == expected
    assert all(unit.evidence for unit in units)


@pytest.mark.parametrize("case", NOT_FOUND)
def test_what_only_looks_like_one_is_left_alone(case: str) -> None:
    systems = {unit.system for unit in detect(tree(NOT_FOUND[case]), Settings())}
    assert systems <= {"sql"} if case == "an up.sql of nobody" else not systems


def unit_of(files: Files) -> Unit:
    (unit,) = detect(tree(files), Settings())
    return unit


def history(files: Files) -> list[tuple[str, str]]:
    unit = unit_of(files)
    return [(m.id, m.path.rpartition("/")[2]) for m in by_name(unit.system).history(unit, tree(files))]


def pushed(base: Files, target: Files) -> Work:
    before, after = tree(base), tree(target)
    return work_for(unit_of(target), after, before, changes(before, after))


ORDERS: Mapping[str, tuple[Files, list[tuple[str, str]]]] = {
    "dbmate: by name, the number as it is written": (
        {"db/migrations/010_b.sql": DBMATE, "db/migrations/009_a.sql": DBMATE, "db/migrations/x.sql": "x"},
        [("009", "009_a.sql"), ("010", "010_b.sql")],
    ),
    "goose: by number": (
        {"m/9_a.sql": GOOSE, "m/00010_b.sql": GOOSE, "m/11_c_test.go": GO, "m/12_d.go": GO, "m/x.go": GO},
        [("9", "9_a.sql"), ("10", "00010_b.sql"), ("12", "12_d.go")],
    ),
    "golang-migrate: by number, without the ways back": (
        {
            "go.mod": GO_MOD, "m/000010_b.up.sql": SQL, "m/9_a.up.sql": SQL, "m/9_a.down.sql": SQL,
            "m/readme.up.sql": SQL,
        },
        [("9", "9_a.up.sql"), ("10", "000010_b.up.sql")],
    ),
    "sqlx: by number, pairs and single files": (
        {
            "Cargo.toml": CARGO, "migrations/10_b.up.sql": SQL, "migrations/10_b.down.sql": SQL,
            "migrations/9_a.sql": SQL,
        },
        [("9", "9_a.sql"), ("10", "10_b.up.sql")],
    ),
    "diesel: by version, which has no dashes": (
        {
            "diesel.toml": "", "migrations/2024-01-02-000000_b/up.sql": SQL,
            "migrations/00000000000000_diesel_initial_setup/up.sql": SQL,
            "migrations/20240101000000_a/up.sql": SQL,
        },
        [("00000000000000", "up.sql"), ("20240101000000", "up.sql"), ("20240102000000", "up.sql")],
    ),
    "sqitch: the plan's order; a reworked change stands there twice": (
        {
            "sqitch.plan": f"{PLAN}z {WHEN} # x\na/b [z other:c !d] {WHEN} # [x]\n@v1 {WHEN} # tag\n\n# note\n"
            f"z [z@v1] {WHEN} # again\n",
            "deploy/a/b.sql": SQL, "deploy/z.sql": SQL, "deploy/z@v1.sql": SQL,
        },
        [("z", "z@v1.sql"), ("a/b", "b.sql"), ("z@2", "z.sql")],
    ),
    "Atlas: by name, the version up to the first underscore": (
        {"m/atlas.sum": "h1:", "m/20240102_b.sql": SQL, "m/20240101.sql": SQL},
        [("20240101", "20240101.sql"), ("20240102", "20240102_b.sql")],
    ),
    "SeaORM: the order of the list, and nothing that is not listed": (
        {
            "Cargo.toml": SEA,
            "src/lib.rs": "mod m3_x;\nvec![\n    Box::new(m2_b::Migration),\n    // Box::new(m3_x::Migration),\n"
            "    Box::new(\n        m1_a::Migration,\n    ),\n]",
            "src/m1_a.rs": "", "src/m2_b/mod.rs": "", "src/m3_x.rs": "",
        },
        [("m2_b", "mod.rs"), ("m1_a", "m1_a.rs")],
    ),
    "yoyo: what they depend on, then by name": (
        {
            "yoyo.ini": "[DEFAULT]\nsources = m\n", "m/0002.b.sql": SQL, "m/0002.b.rollback.sql": SQL,
            "m/0001.a.py": YOYO + '__depends__ = {"0003.c"}\n', "m/0003.c.sql": "-- depends: 0002.b\n" + SQL,
            "m/post-apply.sql": SQL, "m/__init__.py": "",
        },
        [("0002.b", "0002.b.sql"), ("0003.c", "0003.c.sql"), ("0001.a", "0001.a.py")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ORDERS)
def test_migrations_have_the_tools_own_ids_and_order(case: str) -> None:
    files, expected = ORDERS[case]
    assert history(files) == expected


EDITS: Mapping[str, tuple[Files, Files, bool]] = {
    "dbmate's way back": ({"m/1_a.sql": DBMATE}, {"m/1_a.sql": DBMATE + "DROP TABLE u;\n"}, False),
    "dbmate's way up": ({"m/1_a.sql": DBMATE}, {"m/1_a.sql": DBMATE.replace("bigint", "int")}, True),
    "goose's way back": ({"m/1_a.sql": GOOSE}, {"m/1_a.sql": GOOSE + "DROP TABLE u;\n"}, False),
    "goose's way up": ({"m/1_a.sql": GOOSE}, {"m/1_a.sql": GOOSE.replace("bigint", "int")}, True),
    "golang-migrate's comment": (
        {"go.mod": GO_MOD, "m/1_a.up.sql": SQL}, {"go.mod": GO_MOD, "m/1_a.up.sql": "-- note\n" + SQL}, False,
    ),
    "sqlx's comment, which its checksum sees": (
        {"Cargo.toml": CARGO, "migrations/1_a.sql": SQL},
        {"Cargo.toml": CARGO, "migrations/1_a.sql": "-- note\n" + SQL},
        True,
    ),
    "diesel's statement": (
        {"diesel.toml": "", "m/1_a/up.sql": SQL}, {"diesel.toml": "", "m/1_a/up.sql": SQL + SQL}, True,
    ),
    "yoyo's comment": (
        {"yoyo.ini": "[DEFAULT]\nsources = m\n", "m/1.py": YOYO},
        {"yoyo.ini": "[DEFAULT]\nsources = m\n", "m/1.py": "# note\n" + YOYO},
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EDITS)
def test_an_edit_is_what_changes_the_way_up_or_a_checksum(case: str) -> None:
    base, target, edited = EDITS[case]
    work = pushed(base, target)
    assert work.pushed == ()
    assert [edit.what for edit in work.edits] == (["edited"] if edited else [])


def test_a_reworked_change_of_sqitch_is_one_new_migration_and_no_edit() -> None:
    base = {"sqitch.plan": f"{PLAN}a {WHEN}\n@v1 {WHEN} # t\n", "deploy/a.sql": SQL}
    target = {
        "sqitch.plan": base["sqitch.plan"] + f"a [a@v1] {WHEN}\n",
        "deploy/a@v1.sql": SQL, "deploy/a.sql": "ALTER TABLE t ADD x int;",
    }  # fmt: skip
    work = pushed(base, target)
    assert [(m.id, m.path) for m in work.pushed] == [("a@2", "deploy/a.sql")]
    assert work.edits == ()


def test_a_baseline_of_atlas_stands_for_everything_before_it() -> None:
    system = by_name("atlas")
    history = numbers(1, 2, 3)
    rows = frozenset({"2 (baseline)"})
    assert system.applied(rows, history) == {"1", "2"}
    assert system.unknown(rows, history) == frozenset()
    assert system.unknown(rows | {"9"}, history) == {"9"}
    assert system.prove(rows, rows | {"3"}, history, numbers(3)).missing == frozenset()
    assert system.prove(rows, rows, history, numbers(3)).missing == {"3"}


REVISIONS = """
CREATE SCHEMA atlas_schema_revisions;
CREATE TABLE atlas_schema_revisions.atlas_schema_revisions (version varchar PRIMARY KEY, type bigint NOT NULL,
    applied bigint NOT NULL, total bigint NOT NULL);
INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES
    ('.atlas_cloud_identifier', 2, 0, 0), ('1', 1, 0, 0), ('2', 2, 3, 3), ('3', 2, 1, 3);
"""


def test_a_file_that_atlas_has_applied_in_part_is_not_applied(postgres: Postgres) -> None:
    files = {"m/atlas.sum": "h1:", "m/1_a.sql": SQL}
    kept = by_name("atlas").bookkeeping
    assert kept
    with closing(connect(postgres.database(REVISIONS))) as connection:
        assert bookkeeping_rows(connection, kept(unit_of(files))) == {"1 (baseline)", "2"}


def test_older_versions_of_goose_wrote_down_the_way_back(postgres: Postgres) -> None:
    dsn = postgres.database(
        "CREATE TABLE goose_db_version (version_id bigint, is_applied bool);"
        "INSERT INTO goose_db_version VALUES (0, true), (1, true), (2, false)"
    )
    kept = by_name("goose").bookkeeping
    assert kept
    with closing(connect(dsn)) as connection:
        assert bookkeeping_rows(connection, kept(unit_of({"m/1_a.sql": GOOSE}))) == {"1"}


def test_atlas_is_told_everything_on_its_command_line() -> None:
    found = command({"Makefile": "up:\n\tatlas migrate apply --revisions-schema kept\n",
                     "m/atlas.sum": "h1:", "m/1_a.sql": SQL})  # fmt: skip
    assert " ".join(found.argv) == "atlas migrate apply --dir file://m --url {url} --revisions-schema kept"
    check(found.argv)


def test_a_change_of_the_list_of_seaorm_is_noticed() -> None:
    base = {
        "Cargo.toml": SEA,
        "src/lib.rs": "vec![Box::new(m1_a::Migration)]",
        "src/m1_a.rs": "",
        "src/m2_b.rs": "",
    }
    target = {**base, "src/lib.rs": "vec![Box::new(m1_a::Migration), Box::new(m2_b::Migration)]"}
    assert [migration.id for migration in pushed(base, target).pushed] == ["m2_b"]


def numbers(*ids: int) -> list[Migration]:
    return [Migration(str(id), f"m/{id}_x.up.sql", "") for id in ids]


def test_golang_migrates_one_row_stands_for_everything_up_to_it() -> None:
    system = by_name("golang-migrate")
    history = numbers(1, 2, 10)
    assert system.applied(frozenset({"2"}), history) == {"1", "2"}
    assert system.applied(frozenset({"2 (dirty)"}), history) == {"1"}
    assert system.applied(frozenset(), history) == frozenset()
    assert system.unknown(frozenset({"11"}), history) == {"11"}
    proof = system.prove(frozenset({"2"}), frozenset({"10"}), history, numbers(10))
    assert (proof.missing, proof.unexpected) == (frozenset(), frozenset())
    assert system.prove(frozenset({"2"}), frozenset({"2"}), history, numbers(10)).missing == {"10"}


@pytest.mark.parametrize(
    ("row", "new", "skipped"),
    [
        ("10", [2], {"2"}),  # dated before one that is on the main line
        ("11", [10], {"10"}),  # dated before one that only production has
        ("10", [2, 10], set()),  # both are deployed already
        ("1", [2, 10], set()),
    ],
)
def test_golang_migrate_skips_what_is_numbered_below_the_row(
    row: str, new: list[int], skipped: set[str]
) -> None:
    system = by_name("golang-migrate")
    assert system.skipped(Unit("golang-migrate", "", "m", ()), frozenset({row}), numbers(1, 2, 10), numbers(*new)) == skipped


def command(files: Files, new: list[Migration] | None = None) -> Command:
    unit = unit_of(files)
    found = by_name(unit.system).apply(unit, new or ())
    assert isinstance(found, Command)
    return found


@pytest.mark.parametrize("name", ["dbmate", "goose", "golang_migrate", "sqlx", "diesel", "sqitch", "yoyo"])
def test_no_secret_is_on_the_command_line_and_the_address_is(name: str) -> None:
    (unit,) = detect(tree_of(PROJECTS / name), Settings())
    found = by_name(unit.system).apply(unit, ())
    assert isinstance(found, Command)
    check(found.argv)
    assert any("{url}" in word for word in (*found.argv, *found.environment.values()))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"db/migrations/1_a.sql": DBMATE, ".env.example": "DBMATE_MIGRATIONS_TABLE=audit.versions\n"},
            "--migrations-table audit.versions",
        ),
        ({"Makefile": "up:\n\tgoose -table my_versions up\n", "m/1_a.sql": GOOSE}, "-table my_versions"),
        ({"Makefile": "up:\n\tgoose -allow-missing up\n", "m/1_a.sql": GOOSE}, "-allow-missing up"),
        (
            {"go.mod": GO_MOD, "Makefile": "up:\n\tmigrate 'x?x-migrations-table=v'\n", "m/1_a.up.sql": SQL},
            "{url}&x-migrations-table=v up",
        ),
        (
            {"Cargo.toml": CARGO, "Dockerfile": "CMD sqlx migrate run --ignore-missing\n", "migrations/1_a.sql": SQL},
            "--ignore-missing",
        ),
        (
            {
                "sqitch.conf": '[core]\n\tengine = pg\n[engine "pg"]\n\tregistry = kept\n',
                "sqitch.plan": f"{PLAN}a {WHEN}\n", "deploy/a.sql": SQL,
            },
            "--registry kept",
        ),
        ({"yoyo.ini": "[DEFAULT]\nsources = m\nmigration_table = v\n", "m/1.sql": SQL}, "--migration-table v m"),
    ],
)  # fmt: skip
def test_what_the_project_says_about_its_tool_is_kept(files: Files, words: str) -> None:
    assert words in " ".join(command(files).argv)


def test_a_go_migration_needs_the_projects_own_goose() -> None:
    files, new = {"m/00001_a.sql": GOOSE}, [Migration("2", "m/00002_b.go", "")]
    with pytest.raises(Unavailable, match="00002_b.go"):
        command(files, new)
    settings = Settings(
        systems=(SystemSettings("goose", command="bin/goose up", url_variables=("GOOSE_DBSTRING",)),)
    )
    (unit,) = detect(tree(files), settings)
    found = start_of(Work(unit, tuple(new), tuple(new)))
    assert isinstance(found, Command) and found.argv == ("bin/goose", "up")


OUTPUTS = {
    "dbmate": (
        "Applying: 1_a.sql\nError: pq: could not create unique index \"k\" (23505)\n",
        ("23505", 'could not create unique index "k"'),
    ),
    "goose": (
        '2026/11/21 goose run: ERROR 2_b.sql: failed to run SQL migration: failed to execute SQL query "CREATE UNIQUE'
        ' INDEX k ON g(email);": ERROR: could not create unique index "k" (SQLSTATE 23505)\n',
        ("23505", 'could not create unique index "k"'),
    ),
    "golang-migrate": (
        'error: migration failed: could not create unique index "k", Key (email)=(a) is duplicated. in line 0:'
        ' SELECT 1;\nCREATE UNIQUE INDEX k ON m(email);\n (details: pq: could not create unique index "k")\n',
        ("", 'could not create unique index "k", Key (email)=(a) is duplicated.'),
    ),
    "sqlx": (
        'error: while executing migration 2: error returned from database: could not create unique index "k"\n',
        ("", 'could not create unique index "k"'),
    ),
    "diesel": (
        'ERROR diesel::database: Failed to execute query query="x" err=DatabaseError(UniqueViolation, "could")\n'
        'Failed to run migrations: Failed to run 2_b with: could not create unique index "k"\n',
        ("23505", 'could not create unique index "k"'),
    ),
    "sqitch": (
        '  + b .. psql:deploy/b.sql:3: ERROR:  23505: could not create unique index "k"\n'
        "DETAIL:  Key (email)=(a) is duplicated.\n",
        ("23505", 'could not create unique index "k"'),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTPUTS)
def test_postgres_words_are_found_in_the_tools_output(name: str) -> None:
    output, expected = OUTPUTS[name]
    error = by_name(name).explain(output)
    assert error and (error.sqlstate, error.message) == expected
    assert error.detail == ("Key (email)=(a) is duplicated." if name == "sqitch" else "")
    assert by_name(name).explain("error: no such file or directory") is None


def test_goose_in_a_program_without_a_postgres_driver_is_another_databases() -> None:
    files = {"go.mod": SQLITE_GO_MOD, "db/migrations/00001_a.sql": GOOSE}
    assert detect(tree(files), Settings()) == []
    assert detect(tree({**files, "go.mod": SQLITE_GO_MOD + "require github.com/jackc/pgx/v5 v5\n"}), Settings())
