"""Stories of tools that are compiled programs, and of those that read SQL files as they do."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from neon_hooks.dsn import Dsn
from tests.fix_native import DIESEL as DIESEL_CLI
from tests.fix_native import GOLANG_MIGRATE as MIGRATE_CLI
from tests.fix_native import GOOSE as GOOSE_CLI
from tests.fix_native import SQLX as SQLX_CLI
from tests.fix_native import FAST_CRATE, Tool, built_crate, from_debian, installed
from tests.fix_systems import PROJECTS
from tests.gate.stories import UNIQUE_INDEX, Kit, Story, python_kit

COUNTRY = "ALTER TABLE customers ADD COLUMN country text;\n"
NO_COUNTRY = "ALTER TABLE customers DROP COLUMN country;\n"
UNIQUE = UNIQUE_INDEX.format(table="customers") + ";\n"
BACK = {COUNTRY: NO_COUNTRY, NO_COUNTRY: COUNTRY, UNIQUE: "DROP INDEX email_key;\n"}
NOTHING = "#!/bin/sh\necho nothing to do today\n"


def of(tool: Tool) -> Kit:
    return Kit(path=(installed(tool),))


def dotenv(decoy: Dsn) -> Mapping[str, str]:
    """Every one of these tools reads DATABASE_URL, or its own variables, from here."""
    url = decoy.uri()
    return {".env": f"DATABASE_URL={url}\nGOOSE_DRIVER=postgres\nGOOSE_DBSTRING={url}\n"}


def dbmate(sql: str) -> str:
    return f"-- migrate:up\n{sql}\n-- migrate:down\n{BACK[sql]}"


def goose(sql: str) -> str:
    return f"-- +goose Up\n{sql}\n-- +goose Down\n{BACK[sql]}"


def down_file(ending: str, of_down: str) -> Callable[[str], Mapping[str, str]]:
    """The file for the way back, beside the one whose path has ``ending``."""

    def beside(path: str) -> Mapping[str, str]:
        sql = UNIQUE if "unique" in path else NO_COUNTRY if re.search("no.country", path) else COUNTRY
        return {path.replace(ending, of_down): BACK[sql]}

    return beside


DBMATE = Story(
    "dbmate", "dbmate", "customers",
    good=("db/migrations/20240103000000_country.sql", dbmate(COUNTRY)),
    good_id="20240103000000",
    bad=("db/migrations/20240103000000_unique.sql", dbmate(UNIQUE)),
    bad_line=2,
    deploy=("dbmate", "--no-dump-schema", "migrate"),
    environment=python_kit("dbmate"),
    idle={"bin/dbmate": NOTHING},
    hard_coded=dotenv,
    after_good=("db/migrations/20240104000000_no_country.sql", dbmate(NO_COUNTRY)),
    after_good_id="20240104000000",
    shim=False,
)  # fmt: skip
GOOSE = Story(
    "goose", "goose", "customers",
    good=("migrations/00003_country.sql", goose(COUNTRY)),
    good_id="3",
    bad=("migrations/00003_unique.sql", goose(UNIQUE)),
    bad_line=2,
    deploy=("goose", "-dir", "migrations", "postgres", "{url}", "up"),
    environment=lambda: of(GOOSE_CLI),
    idle={"bin/goose": NOTHING},
    hard_coded=dotenv,
    after_good=("migrations/00004_no_country.sql", goose(NO_COUNTRY)),
    after_good_id="4",
    shim=False,
)  # fmt: skip
GOLANG_MIGRATE = Story(
    "golang-migrate", "golang_migrate", "customers",
    good=("db/migration/000003_country.up.sql", COUNTRY),
    good_id="3",
    bad=("db/migration/000003_unique.up.sql", UNIQUE),
    bad_line=1,
    deploy=("migrate", "-path", "db/migration", "-database", "{url}", "up"),
    environment=lambda: of(MIGRATE_CLI),
    idle={"bin/migrate": NOTHING},
    hard_coded=dotenv,
    after_good=("db/migration/000004_no_country.up.sql", NO_COUNTRY),
    after_good_id="4",
    shim=False,
    beside=down_file(".up.sql", ".down.sql"),
)  # fmt: skip
SQLX = Story(
    "sqlx", "sqlx", "customers",
    good=("migrations/20240103000000_country.up.sql", COUNTRY),
    good_id="20240103000000",
    bad=("migrations/20240103000000_unique.up.sql", UNIQUE),
    bad_line=1,
    deploy=("sqlx", "migrate", "run"),
    environment=lambda: of(SQLX_CLI),
    idle={"bin/sqlx": NOTHING},
    hard_coded=dotenv,
    after_good=("migrations/20240104000000_no_country.up.sql", NO_COUNTRY),
    after_good_id="20240104000000",
    shim=False,
    beside=down_file(".up.sql", ".down.sql"),
    old_sql="migrations/20240102000000_add_nickname.up.sql", refuses=True,
)  # fmt: skip
DIESEL = Story(
    "diesel", "diesel", "customers",
    good=("migrations/2024-01-03-000000_country/up.sql", COUNTRY),
    good_id="20240103000000",
    bad=("migrations/2024-01-03-000000_unique/up.sql", UNIQUE),
    bad_line=1,
    deploy=("diesel", "migration", "run"),
    environment=lambda: of(DIESEL_CLI),
    idle={"bin/diesel": NOTHING},
    hard_coded=dotenv,
    after_good=("migrations/2024-01-04-000000_no_country/up.sql", NO_COUNTRY),
    after_good_id="20240104000000",
    shim=False,
    beside=down_file("/up.sql", "/down.sql"),
)  # fmt: skip


def plan(path: str) -> Mapping[str, str]:
    """The plan with one more change, or two where the second needs the first; and how the change is reverted."""
    text = (PROJECTS / "sqitch/sqitch.plan").read_text()
    names = ["country", "no_country"] if "no_country" in path else [Path(path).stem]
    for day, name in enumerate(names, 3):
        text += f"{name} 2024-01-{day:02}T00:00:00Z Ann <ann@example.com> # More.\n"
    return {"sqitch.plan": text, **down_file("deploy/", "revert/")(path)}


def sqitch_conf(decoy: Dsn) -> Mapping[str, str]:
    return {"sqitch.conf": f'[core]\n\tengine = pg\n[engine "pg"]\n\ttarget = {decoy.uri("db:pg")}\n'}


SQITCH = Story(
    "sqitch", "sqitch", "customers",
    good=("deploy/country.sql", f"BEGIN;\n{COUNTRY}COMMIT;\n"),
    good_id="country",
    bad=("deploy/unique.sql", f"BEGIN;\n{UNIQUE}COMMIT;\n"),
    bad_line=2,
    deploy=("sqitch", "deploy", "--verify", "--target", "db:pg://{user}@{host}:{port}/{database}"),
    environment=lambda: Kit(
        path=(from_debian("sqitch", "sqitch"),),
        environ={"SQITCH_FULLNAME": "Ann", "SQITCH_EMAIL": "ann@example.com"},
    ),
    idle={"bin/sqitch": NOTHING},
    hard_coded=sqitch_conf,
    after_good=("deploy/no_country.sql", f"BEGIN;\n{NO_COUNTRY}COMMIT;\n"),
    after_good_id="no_country",
    shim=False,
    beside=plan,
    old_sql="deploy/nickname.sql",
)  # fmt: skip


def yoyo_ini(decoy: Dsn) -> Mapping[str, str]:
    return {"yoyo.ini": f"[DEFAULT]\nsources = db-migrations\ndatabase = {decoy.uri('postgresql+psycopg')}\n"}


def yoyo(sql: str) -> str:
    return f"-- depends: 0002.add-nickname\n{sql}"


YOYO = Story(
    "yoyo", "yoyo", "customers",
    good=("db-migrations/0003.country.sql", yoyo(COUNTRY)),
    good_id="0003.country",
    bad=("db-migrations/0003.unique.sql", yoyo(UNIQUE)),
    bad_line=2,
    deploy=(
        *("python", "-m", "yoyo", "apply", "--batch", "--database"),
        "postgresql+psycopg://{user}:{password}@{host}:{port}/{database}",
    ),
    environment=python_kit("yoyo"),
    hard_coded=yoyo_ini,
    after_good=("db-migrations/0004.no-country.sql", f"-- depends: 0003.country\n{NO_COUNTRY}"),
    after_good_id="0004.no-country",
    beside=down_file(".sql", ".rollback.sql"),
)  # fmt: skip


def seaorm(sql: str) -> str:
    text = (PROJECTS / "seaorm/migration/src/m20240102_000000_add_nickname.rs").read_text()
    up = text.replace("ALTER TABLE customers ADD COLUMN nickname text", sql.strip().rstrip(";"))
    begin = up.index("    async fn up(")
    down = up[begin:-2].replace("fn up", "fn down").replace(sql.strip().rstrip(";"), BACK[sql].strip().rstrip(";"))
    return f"{up[:-2]}\n{down}}}\n"


def migrator(path: str) -> Mapping[str, str]:
    """lib.rs with one more module, or two where the second comes after the first."""
    text = (PROJECTS / "seaorm/migration/src/lib.rs").read_text()
    names = ["m20240103_000000_country"] if "no_country" in path else []
    for name in (*names, Path(path).stem):
        text = text.replace("\npub struct", f"mod {name};\n\npub struct", 1)
        text = text.replace("        ]\n", f"            Box::new({name}::Migration),\n        ]\n", 1)
    return {"migration/src/lib.rs": text}


def rust() -> Kit:
    target = built_crate(PROJECTS / "seaorm/migration")
    return Kit(environ={**FAST_CRATE, "CARGO_TARGET_DIR": str(target)} | home_of_rust())


def home_of_rust() -> dict[str, str]:
    """The tests have a HOME of their own, and both programs look there first."""
    home = Path.home()
    return {
        "CARGO_HOME": os.environ.get("CARGO_HOME", str(home / ".cargo")),
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(home / ".rustup")),
    }


SEAORM = Story(
    "seaorm", "seaorm", "customers",
    good=("migration/src/m20240103_000000_country.rs", seaorm(COUNTRY)),
    good_id="m20240103_000000_country",
    bad=("migration/src/m20240103_000000_unique.rs", seaorm(UNIQUE)),
    bad_line=0,
    deploy=("cargo", "run", "--quiet", "--manifest-path", "migration/Cargo.toml", "--", "up"),
    environment=rust,
    hard_coded=dotenv,
    after_good=("migration/src/m20240104_000000_no_country.rs", seaorm(NO_COUNTRY)),
    after_good_id="m20240104_000000_no_country",
    shim=False,
    beside=migrator,
)  # fmt: skip
STORIES = (DBMATE, GOOSE, GOLANG_MIGRATE, SQLX, DIESEL, SQITCH, YOYO, SEAORM)
