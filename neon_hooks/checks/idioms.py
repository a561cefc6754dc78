"""The safe form of a change, in the words of the project's own migration tool. Pure data, and a look-up.

A form is what to do; a system's idiom is how it is written there. Where a system has none, the SQL of the
form stands for itself, with the way that the system has to run a statement outside a transaction. Facts
about the tools: their own documentation, and what was tried with the versions that the README lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Form(StrEnum):
    """A way to make a change that does not stop other sessions. The value is the advice in SQL terms."""

    CREATE_INDEX = "CREATE INDEX CONCURRENTLY, in a migration of its own"
    PARTITIONED_INDEX = (
        "CREATE INDEX CONCURRENTLY on each partition, in a migration of its own; then CREATE INDEX on the partitioned"
        " table attaches them and builds nothing"
    )
    DROP_INDEX = "DROP INDEX CONCURRENTLY, in a migration of its own"
    REINDEX = "REINDEX ... CONCURRENTLY, in a migration of its own"
    UNIQUE = (
        "build the index first with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... UNIQUE (or PRIMARY KEY)"
        " USING INDEX"
    )
    CONSTRAINT = "add the constraint NOT VALID, and VALIDATE CONSTRAINT in a later migration, which blocks nobody"
    NOT_NULL = (
        "add CHECK (... IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT it in a later migration, then SET NOT NULL,"
        " which finds the CHECK and reads no rows"
    )
    VALIDATE_LATER = "VALIDATE CONSTRAINT in a migration, and a transaction, of its own"
    REWRITE = (
        "add a new nullable column, let the code write both, fill it in batches, then switch; a constant DEFAULT"
        " and a wider varchar need no rewrite"
    )
    REFRESH = "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on the view"
    SEPARATE = "one change per transaction: give this statement a migration of its own"
    BATCHES = "change the rows in batches of a few thousand, each in a transaction of its own"
    LOCK_TIMEOUT = "SET lock_timeout = '5s' before the statement, and run the migration again when it gives up"
    OUTSIDE = "run it outside a transaction, in a migration of its own"
    EXPAND = "add the new one beside it, let the code use it, and remove the old one when nothing does any more"
    AGAIN = (
        "write statements that can run twice (IF NOT EXISTS, IF EXISTS, ON CONFLICT, only rows that are not done yet),"
        " or put all that can be into one transaction"
    )
    INDEX_AGAIN = "DROP INDEX CONCURRENTLY IF EXISTS the index before it is created: a cut may have left it INVALID"
    DEFAULT = "give the column a DEFAULT, and drop that when all code names the column"
    FORGET = "first deploy code that does not name it, then drop it in a later migration"


NEEDS_NO_TRANSACTION = frozenset(
    {Form.CREATE_INDEX, Form.PARTITIONED_INDEX, Form.DROP_INDEX, Form.REINDEX, Form.UNIQUE, Form.OUTSIDE, Form.BATCHES}
)
SHARES_ONE_TRANSACTION = frozenset({Form.SEPARATE, Form.VALIDATE_LATER, Form.CONSTRAINT, Form.NOT_NULL})
NAMES = {
    "alembic": "Alembic",
    "django": "Django",
    "activerecord": "Rails",
    "flyway": "Flyway",
    "liquibase": "Liquibase",
    "knex": "Knex",
    "typeorm": "TypeORM",
    "sequelize": "Sequelize",
    "mikroorm": "MikroORM",
    "kysely": "Kysely",
    "seaorm": "SeaORM",
    "prisma": "Prisma",
    "drizzle": "Drizzle",
    "diesel": "Diesel",
    "atlas": "Atlas",
    "supabase": "Supabase",
    "ecto": "Ecto",
    "laravel": "Laravel",
    "efcore": "EF Core",
    "sql": "a plain SQL file",
}

# How a system is told not to wrap a migration in a transaction.
OUTSIDE_A_TRANSACTION: Mapping[str, str] = {
    "alembic": "`with op.get_context().autocommit_block():` around it",
    "django": "`atomic = False` in the Migration class",
    "activerecord": "`disable_ddl_transaction!` in the migration class",
    "flyway": "`executeInTransaction=false` in the file's .sql.conf, and `flyway.postgresql.transactional.lock=false`",
    "liquibase": "`runInTransaction:false` on its changeset",
    "knex": "`exports.config = { transaction: false }`",
    "typeorm": '`transaction = false` in the migration class, and `migrationsTransactionMode: "each"`',
    "sequelize": "no `transaction` of your own around it: sequelize-cli opens none",
    "mikroorm": "`isTransactional() { return false }` in the migration class",
    "kysely": "`disableTransactions: true` for the Migrator",
    "node-pg-migrate": "`pgm.noTransaction()` in the migration",
    "goose": "`-- +goose NO TRANSACTION` at the top of the file",
    "golang-migrate": "a file with this one statement and no other",
    "dbmate": "`-- migrate:up transaction:false`",
    "sqlx": "`-- no-transaction` as the first line of the file",
    "diesel": "`run_in_transaction = false` in the migration's metadata.toml",
    "seaorm": "`fn use_transaction(&self) -> Option<bool> { Some(false) }` (sea-orm-migration 2; version 1 wraps all)",
    "prisma": "a migration.sql with this one statement and no other (`prisma migrate dev --create-only`, then edit it)",
    "drizzle": "not by `drizzle-kit migrate`, which wraps all pending migrations in one transaction: run it by hand"
    " before the deployment, and keep it with IF NOT EXISTS in a `drizzle-kit generate --custom` migration",
    "atlas": "`-- atlas:txmode none` at the top of the file",
    "sqitch": "a deploy script without BEGIN and COMMIT",
    "yoyo": "`-- transactional: false` at the top of the file, or `__transactional__ = False`",
    "supabase": "a migration file with this one statement and no other",
    "ecto": "`@disable_ddl_transaction true` and `@disable_migration_lock true` in the migration module",
    "laravel": "`public $withinTransaction = false;` in the migration class",
    "efcore": '`migrationBuilder.Sql("...", suppressTransaction: true)`',
    "sql": "a file that opens no transaction, and not `single_transaction` in the settings",
}

# Systems that put all pending migrations into one transaction: "a later migration" is not enough there.
ONE_TRANSACTION_FOR_ALL: Mapping[str, str] = {
    "alembic": "`transaction_per_migration=True` in env.py's context.configure(), or all pending migrations share one"
    " transaction",
    "drizzle": "two deployments: `drizzle-kit migrate` runs all pending migrations in one transaction",
    "knex": "`exports.config = { transaction: false }` in the later one, or all pending migrations share one transaction",
    "kysely": "two deployments, or `disableTransactions: true`: the Migrator runs all pending ones in one transaction",
    "node-pg-migrate": "`--no-single-transaction`, or all pending migrations share one transaction",
    "typeorm": "`-t each`, or all pending migrations share one transaction",
    "mikroorm": "`migrations: { allOrNothing: false }`, or all pending migrations share one transaction",
    "seaorm": "two deployments: version 1 runs all pending migrations in one transaction",
}

IDIOMS: Mapping[Form, Mapping[str, str]] = {
    Form.CREATE_INDEX: {
        "alembic": "`with op.get_context().autocommit_block(): op.create_index({index}, {bare}, {columns}{schema},"
        " postgresql_concurrently=True)`",
        "django": "AddIndexConcurrently (django.contrib.postgres.operations) in the place of AddIndex, and"
        " `atomic = False`",
        "activerecord": "`add_index {table}, {columns}, algorithm: :concurrently` with `disable_ddl_transaction!`",
        "sequelize": "`queryInterface.addIndex({table}, {columns}, {{ concurrently: true }})`, without a transaction",
        "node-pg-migrate": "`pgm.noTransaction(); pgm.createIndex({table}, {columns}, {{ concurrently: true }})`",
        "ecto": "`create index({table}, {columns}, concurrently: true)` with `@disable_ddl_transaction true` and"
        " `@disable_migration_lock true`",
        "efcore": "`.HasIndex(...).IsCreatedConcurrently()`",
        "knex": "`await knex.raw('CREATE INDEX CONCURRENTLY ...')` with `exports.config = {{ transaction: false }}`",
    },
    Form.DROP_INDEX: {
        "alembic": "`with op.get_context().autocommit_block(): op.drop_index(..., postgresql_concurrently=True)`",
        "django": "RemoveIndexConcurrently (django.contrib.postgres.operations), and `atomic = False`",
        "activerecord": "`remove_index {table}, ..., algorithm: :concurrently` with `disable_ddl_transaction!`",
        "sequelize": "`queryInterface.removeIndex({table}, ..., {{ concurrently: true }})`, without a transaction",
        "node-pg-migrate": "`pgm.noTransaction(); pgm.dropIndex({table}, ..., {{ concurrently: true }})`",
        "ecto": "`drop index({table}, ..., concurrently: true)` with `@disable_ddl_transaction true`",
        "knex": "`await knex.raw('DROP INDEX CONCURRENTLY ...')` with `exports.config = {{ transaction: false }}`",
    },
    Form.UNIQUE: {
        "alembic": "op.create_index(..., unique=True, postgresql_concurrently=True) in an autocommit_block(), then"
        " op.execute('ALTER TABLE ... ADD CONSTRAINT ... UNIQUE USING INDEX ...')",
        "django": "RunSQL for both statements inside SeparateDatabaseAndState, with the constraint in state_operations,"
        " and `atomic = False`",
        "activerecord": "`add_index {table}, {columns}, unique: true, algorithm: :concurrently` with"
        " `disable_ddl_transaction!`, then `add_unique_constraint ..., using_index:` (Rails 7.1)",
    },
    Form.CONSTRAINT: {
        "alembic": "op.create_foreign_key(..., postgresql_not_valid=True) or op.create_check_constraint(...,"
        " postgresql_not_valid=True), later op.execute('ALTER TABLE ... VALIDATE CONSTRAINT ...'), with"
        " `transaction_per_migration=True` in env.py",
        "django": "AddConstraintNotValid, and ValidateConstraint in a later migration"
        " (django.contrib.postgres.operations); for a foreign key RunSQL inside SeparateDatabaseAndState",
        "activerecord": "`add_foreign_key` or `add_check_constraint` with `validate: false`, and"
        " `validate_foreign_key` or `validate_check_constraint` in a later migration",
        "ecto": "`references(..., validate: false)` or `constraint(..., validate: false)`, later"
        ' `execute "ALTER TABLE ... VALIDATE CONSTRAINT ..."`',
    },
    Form.NOT_NULL: {
        "alembic": "op.create_check_constraint(..., 'x IS NOT NULL', postgresql_not_valid=True), later"
        " op.execute('ALTER TABLE ... VALIDATE CONSTRAINT ...') and op.alter_column(..., nullable=False)",
        "django": "AddConstraintNotValid with Q(x__isnull=False), later ValidateConstraint, then AlterField",
        "activerecord": '`add_check_constraint {table}, "x IS NOT NULL", name: ..., validate: false`, later'
        " `validate_check_constraint` and `change_column_null`",
    },
    Form.BATCHES: {
        "alembic": "a loop of small UPDATEs in `with op.get_context().autocommit_block():`",
        "django": "RunPython that goes through the primary key in slices, and `atomic = False`",
        "activerecord": "`in_batches.update_all(...)` with `disable_ddl_transaction!`",
        "ecto": "a loop of `repo().update_all` with `@disable_ddl_transaction true`",
    },
    Form.AGAIN: {
        "alembic": "leave the autocommit_block() to the statements that Postgres allows no transaction",
        "django": "`atomic = True` (the default), with what needs `atomic = False` in a migration of its own",
        "activerecord": "`if_not_exists: true`, `if_exists: true`, or no `disable_ddl_transaction!`",
        "knex": "no `transaction: false` but where Postgres allows none; `hasTable`, `hasColumn`",
        "sequelize": "`queryInterface.sequelize.transaction()` around all of it",
        "prisma": "one statement, or BEGIN and COMMIT around all of them",
        "goose": "no `-- +goose NO TRANSACTION` but where Postgres allows none",
        "dbmate": "no `transaction:false` but where Postgres allows none",
        "sql": "BEGIN and COMMIT around the file's statements, or `single_transaction` in the settings",
    },
    Form.INDEX_AGAIN: {
        "alembic": "`op.drop_index({index}, {bare}, if_exists=True, postgresql_concurrently=True)` in the autocommit_block()",
        "django": "`migrations.RunSQL('DROP INDEX CONCURRENTLY IF EXISTS ...', migrations.RunSQL.noop)` before"
        " AddIndexConcurrently",
        "activerecord": "`remove_index ..., if_exists: true, algorithm: :concurrently` before add_index",
        "prisma": "in a migration of its own before this one, as a migration.sql may have no other statement beside a"
        " CONCURRENTLY",
    },
    Form.LOCK_TIMEOUT: {
        "alembic": "`op.execute(\"SET lock_timeout = '5s'\")` first in upgrade(), or once for all in env.py",
        "django": "`migrations.RunSQL(\"SET LOCAL lock_timeout = '5s'\", migrations.RunSQL.noop)` as the first operation"
        " (SET without LOCAL where `atomic = False`), or ALTER ROLE ... SET lock_timeout for the role that migrates",
        "activerecord": "`variables: {{ lock_timeout: 5s }}` in database.yml, or `execute \"SET lock_timeout = '5s'\"`",
        "flyway": "`flyway.initSql=SET lock_timeout = '5s'`",
        "knex": "`await knex.raw(\"SET lock_timeout = '5s'\")` first in `up`",
        "ecto": "`execute \"SET LOCAL lock_timeout = '5s'\"`, or `after_connect` of the migration repo",
    },
    Form.EXPAND: {
        "django": "AddField, data in batches, then RemoveField in a later deployment; or keep the name with db_column",
        "activerecord": "`alias_attribute` in the model, and a later migration for the rest",
        "prisma": "`@map` or `@@map` keeps the name in the database",
        "alembic": "op.add_column now and op.drop_column in a later deployment; or keep the name with"
        ' `mapped_column("old_name", ...)` in the model',
        "drizzle": '`text("old_name")` and the like in the schema keep the name in the database',
        "typeorm": '`@Column({{ name: "old_name" }})` keeps the name in the database',
        "sequelize": '`field: "old_name"` in the model keeps the name in the database',
        "mikroorm": '`fieldName: "old_name"` keeps the name in the database',
        "hibernate": '`@Column(name = "old_name")` keeps the name in the database',
        "ecto": "`field :new_name, ..., source: :old_name` keeps the name in the database",
        "efcore": '`.HasColumnName("old_name")` keeps the name in the database',
    },
    Form.DEFAULT: {
        "alembic": "`server_default=` in op.add_column; `default=` is SQLAlchemy's own",
        "django": "`db_default=` (Django 5); `default=` is Django's own, and none of the database",
        "activerecord": "`default:` in add_column",
        "prisma": "`@default(...)`",
        "drizzle": "`.default(...)`; `.$default(...)` is Drizzle's own",
        "knex": "`.defaultTo(...)`",
        "typeorm": "`default:` in @Column",
        "sequelize": "`defaultValue:` in queryInterface.addColumn",
        "mikroorm": "`default:`; `onCreate:` is MikroORM's own",
        "node-pg-migrate": "`default:` in pgm.addColumn",
        "hibernate": "`@ColumnDefault`",
        "ecto": "`default:` in `add`",
        "laravel": "`->default(...)`",
        "efcore": "`.HasDefaultValue(...)` or `.HasDefaultValueSql(...)`",
    },
    Form.FORGET: {
        "django": "RemoveField in state_operations of SeparateDatabaseAndState now, the column itself in a later"
        " deployment",
        "activerecord": "`self.ignored_columns += [...]` in the model, deployed before the migration",
        "ecto": "remove the field from the schema first, deployed before the migration",
        "alembic": "remove it from the model first (or `deferred(..., raiseload=True)`), deployed before the migration",
        "prisma": "remove it from schema.prisma with `prisma generate` first, deployed before the migration",
    },
}


def advice(form: Form, system: str, *, table: str = "", index: str = "", columns: tuple[str, ...] = ()) -> str:
    """What to do, and how that is written in ``system``. Names that are not known stay open ("...")."""
    idiom = IDIOMS.get(form, {}).get(system, "")
    if idiom:
        table = table.removeprefix("public.")
        schema, _, bare = table.rpartition(".")
        idiom = idiom.format(
            table=_text(table),
            bare=_text(bare),
            schema=f", schema={_text(schema)}" if schema else "",
            index=_text(index),
            columns=f"[{', '.join(_text(column) for column in columns)}]" if columns else "[...]",
        )
    elif form in NEEDS_NO_TRANSACTION:
        idiom = OUTSIDE_A_TRANSACTION.get(system, "")
    elif form in SHARES_ONE_TRANSACTION:
        idiom = ONE_TRANSACTION_FOR_ALL.get(system, "")
    return f"{form}; in {NAMES.get(system, system)}: {idiom}" if idiom else str(form)


def _text(name: str) -> str:
    return f'"{name}"' if name else "..."
