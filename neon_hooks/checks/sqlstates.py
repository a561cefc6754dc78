"""What to do about an error of Postgres, by SQLSTATE (manual, appendix A). Data only."""

from __future__ import annotations

NAMES_AND_FIXES = {
    "23502": (
        "not_null_violation",
        "rows of the main Neon database branch have no value there: add the column nullable, fill it in"
        " batches, then set NOT NULL through a validated CHECK; or give it a constant DEFAULT",
    ),
    "23503": (
        "foreign_key_violation",
        "rows point to rows that do not exist: mend the data first, or add the constraint NOT VALID and"
        " VALIDATE it in a later migration",
    ),
    "23505": (
        "unique_violation",
        "the values are not unique on the main Neon database branch: remove the duplicates (the DETAIL"
        " names one) in an earlier migration",
    ),
    "23514": (
        "check_violation",
        "existing rows do not meet the condition: mend the data first, or add the constraint NOT VALID"
        " and VALIDATE it in a later migration",
    ),
    "22001": ("string_data_right_truncation", "existing values are longer: shorten them first, or keep the wider type"),
    "22P02": ("invalid_text_representation", "existing values cannot be converted: mend them first, or use USING"),
    "25001": (
        "active_sql_transaction",
        "this statement cannot run inside a transaction: give it a migration of its own that the tool does"
        " not wrap (Alembic: autocommit_block(), Django: atomic = False)",
    ),
    "2BP01": ("dependent_objects_still_exist", "drop or change the dependent objects (DETAIL) first; CASCADE would hide them"),
    "42501": (
        "insufficient_privilege",
        "the role that runs migrations lacks this privilege on the main Neon database branch, too: GRANT it"
        " there, or choose another `role` in the settings",
    ),
    "42601": ("syntax_error", "correct the statement; the position is where Postgres stopped reading"),
    "42701": ("duplicate_column", "the main Neon database branch has this column already"),
    "42703": ("undefined_column", "the main Neon database branch has no such column: compare its schema with your local one"),
    "42704": ("undefined_object", "the main Neon database branch lacks this object (a type, a role, an extension): create it first"),
    "42710": ("duplicate_object", "the main Neon database branch has this object already"),
    "42723": ("duplicate_function", "use CREATE OR REPLACE FUNCTION, or drop the old one first"),
    "42804": ("datatype_mismatch", "say how existing values are converted: ALTER COLUMN ... TYPE ... USING ..."),
    "42P01": ("undefined_table", "the main Neon database branch has no such table: was an earlier migration never deployed there?"),
    "42P07": (
        "duplicate_table",
        "the main Neon database branch has this relation already: was it created by hand, or by a migration"
        " that its bookkeeping does not know?",
    ),
    "0A000": ("feature_not_supported", "this Postgres cannot do that; the message says what"),
    "55000": ("object_not_in_prerequisite_state", ""),
    "55P03": ("lock_not_available", "raise lock_timeout for this statement, or run it when the table is quiet"),
    "55P04": (
        "unsafe_new_enum_value_usage",
        "a new enum value can be used only after the transaction that added it: split the migration in two",
    ),
    "57014": ("query_canceled", "a timeout (statement_timeout) ended the statement: it takes that long on production's rows"),
    "58P01": (
        "undefined_file",
        "this Postgres lacks the extension: on Neon see the list of supported extensions; embedded Postgres"
        " has fewer",
    ),
}


def name_of(sqlstate: str) -> str:
    """The condition name of appendix A, as far as we know it."""
    return NAMES_AND_FIXES.get(sqlstate, ("see appendix A of the Postgres manual",))[0]


def fix_for(sqlstate: str) -> str:
    """What to do, "" when only the message can tell."""
    return NAMES_AND_FIXES.get(sqlstate, ("", ""))[1]
