"""Tools of Node whose migrations are SQL: Drizzle and Prisma, two versions each, and Supabase."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from neon_hooks.dsn import Dsn
from neon_hooks.systems import prisma
from tests.fix_systems import PROJECTS, TOP, tree
from tests.fix_tools import node_modules
from tests.gate.stories import UNIQUE_INDEX, Kit, Story

PRODUCTION = "postgresql://app:canary-password@production.example.com/shop"
COUNTRY = "ALTER TABLE customers ADD COLUMN country text;\n"
NO_COUNTRY = "ALTER TABLE customers DROP COLUMN country;\n"
UNIQUE = "-- The email is the login.\n" + UNIQUE_INDEX.format(table="customers") + ";\n"
MARCH, APRIL = 1740787200000, 1743465600000  # milliseconds


def node_kit(name: str) -> Callable[[], Kit]:
    return lambda: Kit(links={"node_modules": node_modules(name)})


def journal(*later: tuple[str, int]) -> Mapping[str, str]:
    """Drizzle's journal with more entries (tag, when)."""
    path = "drizzle/meta/_journal.json"
    found = json.loads((PROJECTS / "drizzle" / path).read_text())
    for tag, when in later:
        entry = {"idx": len(found["entries"]), "version": "7", "when": when, "tag": tag, "breakpoints": True}
        found["entries"].append(entry)
    return {path: json.dumps(found, indent=2)}


def drizzle_beside(path: str) -> Mapping[str, str]:
    tag = Path(path).stem
    return journal((tag, MARCH)) if tag.startswith("0002") else journal(("0002_country", MARCH), (tag, APRIL))


def drizzle_config(project: str) -> Callable[[Dsn], Mapping[str, str]]:
    text = (PROJECTS / project / "drizzle.config.ts").read_text()
    return lambda decoy: {"drizzle.config.ts": text.replace("process.env.DATABASE_URL!", json.dumps(decoy.uri()))}


IDLE_DRIZZLE = 'console.log("nothing to do today");\nprocess.exit(0);\n'
DRIZZLE = Story(
    "drizzle", "drizzle", "customers",
    good=("drizzle/0002_country.sql", COUNTRY), good_id="0002_country",
    bad=("drizzle/0002_unique.sql", UNIQUE), bad_line=2,
    deploy=("drizzle-kit", "migrate"),
    environment=node_kit("drizzle"),
    environ={"DATABASE_URL": PRODUCTION},
    idle={"drizzle.config.ts": 'const dialect = "postgresql", out = "./drizzle";\n' + IDLE_DRIZZLE},
    hard_coded=drizzle_config("drizzle"),
    after_good=("drizzle/0003_no_country.sql", NO_COUNTRY), after_good_id="0003_no_country",
    beside=drizzle_beside,
    old_sql="drizzle/0001_add_nickname.sql",
)  # fmt: skip
DRIZZLE_1 = Story(
    "drizzle", "drizzle_1", "customers",
    good=("drizzle/20250301000000_country/migration.sql", COUNTRY), good_id="20250301000000_country",
    bad=("drizzle/20250301000000_unique/migration.sql", UNIQUE), bad_line=2,
    deploy=("drizzle-kit", "migrate"),
    environment=node_kit("drizzle-1"),
    environ={"DATABASE_URL": PRODUCTION},
    idle=DRIZZLE.idle,
    hard_coded=drizzle_config("drizzle_1"),
    after_good=("drizzle/20250401000000_no_country/migration.sql", NO_COUNTRY),
    after_good_id="20250401000000_no_country",
    old_sql="drizzle/20250201000000_add_nickname/migration.sql",
)  # fmt: skip


def prisma_kit(name: str) -> Callable[[], Kit]:
    """With a stand-in for the engine, which Prisma would download when it is installed."""

    def kit() -> Kit:
        environ = {
            "PRISMA_SCHEMA_ENGINE_BINARY": str(TOP / "tests/prisma_schema_engine"),
            "PRISMA_ENGINE_MODULES": str(node_modules("prisma-engine")),
            "PRISMA_QUERY_ENGINE_LIBRARY": "/bin/true",  # Prisma 6 wants the file to be there
        }
        return Kit(links={"node_modules": node_modules(name)}, environ=environ)

    return kit


def prisma_config(decoy: Dsn) -> Mapping[str, str]:
    text = (PROJECTS / "prisma/prisma.config.ts").read_text()
    return {"prisma.config.ts": text.replace('env("DATABASE_URL")', json.dumps(decoy.uri()))}


def prisma_dotenv(decoy: Dsn) -> Mapping[str, str]:
    """Committed, and read by Prisma itself; the schema cannot hold an address that we would run."""
    return {".env": f"DATABASE_URL={decoy.uri()}\nDIRECT_URL={decoy.uri()}\n", ".gitignore": "node_modules\n"}


PRISMA = Story(
    "prisma", "prisma", "customers",
    good=("prisma/migrations/20250301000000_country/migration.sql", COUNTRY), good_id="20250301000000_country",
    bad=("prisma/migrations/20250301000000_unique/migration.sql", UNIQUE), bad_line=2,
    deploy=("prisma", "migrate", "deploy"),
    environment=prisma_kit("prisma"),
    environ={"DATABASE_URL": PRODUCTION},
    idle={"prisma.config.ts": 'console.log("nothing to do today");\nprocess.exit(0);\n'},
    hard_coded=prisma_config,
    after_good=("prisma/migrations/20250401000000_no_country/migration.sql", NO_COUNTRY),
    after_good_id="20250401000000_no_country",
    shim=False,
    old_sql="prisma/migrations/20250201000000_add_nickname/migration.sql",
)  # fmt: skip
PRISMA_6 = Story(
    "prisma", "prisma_6", "customers",
    good=PRISMA.good, good_id=PRISMA.good_id, bad=PRISMA.bad, bad_line=2,
    deploy=PRISMA.deploy,
    environment=prisma_kit("prisma-6"),
    environ={"DATABASE_URL": PRODUCTION, "DIRECT_URL": PRODUCTION},
    hard_coded=prisma_dotenv,
    after_good=PRISMA.after_good, after_good_id=PRISMA.after_good_id,
    shim=False,
)  # fmt: skip
MODELS = (PROJECTS / "prisma_push/prisma/schema.prisma").read_text()
WITH_COUNTRY = MODELS.replace("  nickname String?\n", "  nickname String?\n  country  String?\n")
WITH_UNIQUE = MODELS.replace("email    String\n", "email    String @unique\n")


def state_of(models: str) -> str:
    """The id of a state of the models."""
    found = tree({"package.json": '{"scripts": {"x": "prisma db push"}}', "prisma/schema.prisma": models})
    (unit,) = prisma.detect(found)
    return prisma.history(unit, found)[0].id


PRISMA_PUSH = Story(
    "prisma", "prisma_push", "customers",
    good=("prisma/schema.prisma", WITH_COUNTRY), good_id=state_of(WITH_COUNTRY),
    bad=("prisma/schema.prisma", WITH_UNIQUE), bad_line=0,
    deploy=("prisma", "db", "push"),
    environment=prisma_kit("prisma"),
    environ={"DATABASE_URL": PRODUCTION},
    idle=PRISMA.idle,
    hard_coded=prisma_config,
    shim=False,
    records=False,
)  # fmt: skip
SUPABASE = Story(
    "supabase", "supabase", "customers",
    good=("supabase/migrations/20250301000000_country.sql", COUNTRY), good_id="20250301000000",
    bad=("supabase/migrations/20250301000000_unique.sql", UNIQUE), bad_line=2,
    deploy=("supabase", "db", "push", "--yes", "--db-url", "{url}"),
    environment=node_kit("supabase"),
    environ={"DATABASE_URL": PRODUCTION, "SUPABASE_DB_URL": PRODUCTION},
    hard_coded=lambda decoy: {"supabase/.env": f"SUPABASE_DB_URL={decoy.uri()}\nPGDATABASE=decoy\n"},
    after_good=("supabase/migrations/20250401000000_no_country.sql", NO_COUNTRY),
    after_good_id="20250401000000",
    shim=False,
)  # fmt: skip
STORIES: Sequence[Story] = (DRIZZLE, DRIZZLE_1, PRISMA, PRISMA_6, SUPABASE)
