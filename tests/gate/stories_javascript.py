"""Stories of the migration tools whose migrations are JavaScript or TypeScript."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from neon_hooks.dsn import Dsn
from tests.fix_systems import PROJECTS
from tests.fix_tools import node_modules
from tests.gate.stories import Kit, Story

KNEX_MIGRATION = """\
exports.up = (knex) =>
  knex.schema.alterTable("customers", (table) => {{
    {body}
  }});

exports.down = (knex) =>
  knex.schema.alterTable("customers", (table) => {{
    {back}
  }});
"""
NODE_PG_MIGRATION = """\
exports.up = (pgm) => {{
  {body}
}};

exports.down = (pgm) => {{
  {back}
}};
"""
SEQUELIZE_MIGRATION = """\
module.exports = {{
  up: (queryInterface, Sequelize) =>
    queryInterface.{body},
  down: (queryInterface, Sequelize) =>
    queryInterface.{back},
}};
"""
TYPEORM_MIGRATION = """\
module.exports = class {name} {{
  async up(queryRunner) {{
    await queryRunner.query(`{sql}`);
  }}

  async down(queryRunner) {{
    await queryRunner.query(`{back}`);
  }}
}};
"""
MIKRO_MIGRATION = """\
const {{ Migration }} = require("@mikro-orm/migrations");

class {name} extends Migration {{
  async up() {{
    this.addSql(`{sql};`);
  }}

  async down() {{
    this.addSql(`{back};`);
  }}
}}

module.exports = {{ {name} }};
"""
KYSELY_MIGRATION = """\
import type {{ Kysely }} from "kysely";

export async function up(db: Kysely<any>): Promise<void> {{
  await db.schema.alterTable("customers").{body}.execute();
}}

export async function down(db: Kysely<any>): Promise<void> {{
  await db.schema.alterTable("customers").{back}.execute();
}}
"""
PRODUCTION = {"DATABASE_URL": "postgresql://app:canary-password@production.example.com/shop"}
COUNTRY, NO_COUNTRY, UNIQUE, NOT_UNIQUE = (
    f"ALTER TABLE customers {what}"
    for what in (
        "ADD COLUMN country text", "DROP COLUMN country", "ADD CONSTRAINT email_key UNIQUE (email)",
        "DROP CONSTRAINT email_key",
    )
)  # fmt: skip


def javascript() -> Kit:
    return Kit(links={"node_modules": node_modules("javascript")})


def text(project: str, path: str) -> str:
    return (PROJECTS / project / path).read_text()


def leaves(project: str, path: str) -> Mapping[str, str]:
    """A configuration that ends the tool before it has begun, without an error."""
    return {path: "process.exit(0);\n" + text(project, path)}


def says(project: str, path: str, old: str, new: str) -> Callable[[Dsn], Mapping[str, str]]:
    """A configuration with an address of its own."""

    def hard_coded(decoy: Dsn) -> Mapping[str, str]:
        changed = text(project, path).replace(old, new.format(f'"{decoy.uri()}"'))
        assert decoy.uri() in changed
        return {path: changed}

    return hard_coded


def knex(name: str, body: str, back: str) -> tuple[str, str]:
    return f"migrations/{name}.js", KNEX_MIGRATION.format(body=body, back=back)


KNEX = Story(
    "knex", "knex", "customers",
    good=knex("20260301000000_add_country", 'table.text("country");', 'table.dropColumn("country");'),
    good_id="20260301000000_add_country.js",
    bad=knex("20260301000000_unique_email", 'table.unique("email");', 'table.dropUnique("email");'),
    bad_line=0,  # Knex builds its statements long after the migration was called
    deploy=("knex", "migrate:latest"),
    environment=javascript,
    environ=PRODUCTION,
    idle=leaves("knex", "knexfile.js"),
    hard_coded=says("knex", "knexfile.js", "process.env.DATABASE_URL", "{}"),
    after_good=knex("20260401000000_remove_country", 'table.dropColumn("country");', 'table.text("country");'),
    after_good_id="20260401000000_remove_country.js",
)  # fmt: skip


def node_pg(name: str, body: str, back: str) -> tuple[str, str]:
    return f"migrations/{name}.js", NODE_PG_MIGRATION.format(body=body, back=back)


def with_file(*said: str) -> Mapping[str, str]:
    """A configuration file, which node-pg-migrate is told of in a script."""
    manifest = text("node_pg_migrate", "package.json")
    manifest = manifest.replace('"node-pg-migrate"', '"node-pg-migrate -f db.json"', 1)
    return {"package.json": manifest, "db.json": f'{{"db": {{{", ".join(said)}}}}}\n'}


NODE_PG_MIGRATE = Story(
    "node-pg-migrate", "node_pg_migrate", "customers",
    good=node_pg(
        "1772323200000_add-country",
        'pgm.addColumn("customers", { country: "text" });', 'pgm.dropColumn("customers", "country");',
    ),
    good_id="1772323200000_add-country",
    bad=node_pg(
        "1772323200000_unique-email",
        'pgm.addConstraint("customers", "email_key", "UNIQUE (email)");',
        'pgm.dropConstraint("customers", "email_key");',
    ),
    bad_line=0,  # the statements are collected first
    deploy=("node-pg-migrate", "up"),
    environment=javascript,
    environ=PRODUCTION,
    idle=with_file('"ignore-pattern": ".*"'),
    hard_coded=lambda decoy: with_file(f'"url": "{decoy.uri()}"'),
    after_good=node_pg(
        "1775001600000_remove-country",
        'pgm.dropColumn("customers", "country");', 'pgm.addColumn("customers", { country: "text" });',
    ),
    after_good_id="1775001600000_remove-country",
)  # fmt: skip


def sequelize(name: str, body: str, back: str) -> tuple[str, str]:
    return f"migrations/{name}.js", SEQUELIZE_MIGRATION.format(body=body, back=back)


ADD, REMOVE = 'addColumn("customers", "country", Sequelize.TEXT)', 'removeColumn("customers", "country")'


SEQUELIZE = Story(
    "sequelize", "sequelize", "customers",
    good=sequelize("20260301000000-add-country", ADD, REMOVE),
    good_id="20260301000000-add-country.js",
    bad=sequelize(
        "20260301000000-unique-email",
        'addConstraint("customers", { type: "unique", fields: ["email"], name: "email_key" })',
        'removeConstraint("customers", "email_key")',
    ),
    bad_line=0,  # Sequelize sends its statements from a queue
    deploy=("sequelize-cli", "db:migrate"),
    environment=javascript,
    environ=PRODUCTION,
    idle=leaves("sequelize", "config/config.js"),
    hard_coded=says("sequelize", "config/config.js", 'use_env_variable: "DATABASE_URL"', "url: {}"),
    after_good=sequelize("20260401000000-remove-country", REMOVE, ADD),
    after_good_id="20260401000000-remove-country.js",
)  # fmt: skip


def typeorm(timestamp: int, name: str, sql: str, back: str) -> tuple[str, str]:
    text = TYPEORM_MIGRATION.format(name=f"{name}{timestamp}", sql=sql, back=back)
    return f"migrations/{timestamp}-{name}.js", text


TYPEORM = Story(
    "typeorm", "typeorm", "customers",
    good=typeorm(1772323200000, "AddCountry", COUNTRY, NO_COUNTRY),
    good_id="AddCountry1772323200000",
    bad=typeorm(1772323200000, "UniqueEmail", UNIQUE, NOT_UNIQUE),
    bad_line=3,
    deploy=("typeorm", "migration:run", "-d", "data-source.js"),
    environment=javascript,
    environ=PRODUCTION,
    idle=leaves("typeorm", "data-source.js"),
    hard_coded=says("typeorm", "data-source.js", "process.env.DATABASE_URL", "{}"),
    after_good=typeorm(1775001600000, "RemoveCountry", NO_COUNTRY, COUNTRY),
    after_good_id="RemoveCountry1775001600000",
)  # fmt: skip


def mikro(date: int, sql: str, back: str) -> tuple[str, str]:
    return f"migrations/Migration{date}.js", MIKRO_MIGRATION.format(name=f"Migration{date}", sql=sql, back=back)


MIKRO_ORM = Story(
    "mikroorm", "mikroorm", "customers",
    good=mikro(20260301000000, COUNTRY, NO_COUNTRY),
    good_id="Migration20260301000000",
    bad=mikro(20260301000000, UNIQUE, NOT_UNIQUE),
    bad_line=5,  # the statements are collected first, but this text stands there
    deploy=("mikro-orm", "migration:up"),
    environment=javascript,
    environ=PRODUCTION,
    idle=leaves("mikroorm", "mikro-orm.config.js"),
    hard_coded=says("mikroorm", "mikro-orm.config.js", "process.env.DATABASE_URL", "{}"),
    after_good=mikro(20260401000000, NO_COUNTRY, COUNTRY),
    after_good_id="Migration20260401000000",
)  # fmt: skip


def kysely(name: str, body: str, back: str) -> tuple[str, str]:
    return f"migrations/{name}.ts", KYSELY_MIGRATION.format(body=body, back=back)


KYSELY = Story(
    "kysely", "kysely", "customers",
    good=kysely("1772323200000_add_country", 'addColumn("country", "text")', 'dropColumn("country")'),
    good_id="1772323200000_add_country",
    bad=kysely(
        "1772323200000_unique_email", 'addUniqueConstraint("email_key", ["email"])', 'dropConstraint("email_key")'
    ),
    bad_line=4,
    deploy=("kysely", "migrate:latest", "--no-outdated-check"),
    environment=javascript,
    environ=PRODUCTION,
    idle=leaves("kysely", "kysely.config.ts"),
    hard_coded=says("kysely", "kysely.config.ts", "process.env.DATABASE_URL", "{}"),
    after_good=kysely("1775001600000_remove_country", 'dropColumn("country")', 'addColumn("country", "text")'),
    after_good_id="1775001600000_remove_country",
)  # fmt: skip
STORIES = (KNEX, NODE_PG_MIGRATE, SEQUELIZE, TYPEORM, MIKRO_ORM, KYSELY)
