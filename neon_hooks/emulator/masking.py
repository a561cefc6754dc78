"""Neon's anonymized branches: masking rules, and their one-time ("static") application.

Neon runs the extension PostgreSQL Anonymizer; here its commonest functions are SQL expressions and every
rule is one UPDATE. The functions are called with the project's lock held and raise Problem.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from neon_hooks.emulator import problems, sql
from neon_hooks.emulator.model import NeonBranch, now, shown
from neon_hooks.emulator.operations import Step
from neon_hooks.emulator.project import Project

COLUMN = ("database_name", "schema_name", "table_name", "column_name")
RANDOM = "md5(random()::text || ctid::text)"
# https://postgresql-anonymizer.readthedocs.io/en/stable/masking_functions/
FUNCTIONS: Mapping[str, str] = {
    "fake_email": f"substr({RANDOM}, 1, 12) || '@example.com'",
    "dummy_email": f"substr({RANDOM}, 1, 12) || '@example.com'",
    "dummy_free_email": f"substr({RANDOM}, 1, 12) || '@example.com'",
    "fake_first_name": f"initcap(translate(substr({RANDOM}, 1, 7), '0123456789', 'ghijklmnop'))",
    "dummy_first_name": f"initcap(translate(substr({RANDOM}, 1, 7), '0123456789', 'ghijklmnop'))",
    "fake_last_name": f"initcap(translate(substr({RANDOM}, 1, 9), '0123456789', 'ghijklmnop'))",
    "dummy_last_name": f"initcap(translate(substr({RANDOM}, 1, 9), '0123456789', 'ghijklmnop'))",
    "dummy_name": f"initcap(translate(substr({RANDOM}, 1, 9), '0123456789', 'ghijklmnop'))",
    "random_string": f"substr({RANDOM}, 1, {{0}})",
    "random_phone": "{0} || lpad((random() * 999999999)::bigint::text, 9, '0')",
    "random_zip": "lpad((random() * 99999)::int::text, 5, '0')",
    "random_int_between": "({0} + floor(random() * ({1} - {0} + 1)))::int",
    "random_date": "timestamp '1900-01-01' + random() * (now()::timestamp - timestamp '1900-01-01')",
    "hash": "md5({0}::text)",
    "digest": "md5({0}::text)",
    "partial": "overlay({0}::text placing {2} from {1} + 1 for greatest(length({0}::text) - {1} - {3}, 0))",
}
CALL = re.compile(r"\s*(?:anon\.)?(\w+)\s*\((.*)\)\s*", re.DOTALL)
ARGUMENT = re.compile(r"\s*('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$\$.*?\$\$|-?\d+|\w+)\s*(?:,|$)", re.DOTALL)


def check(rules: Any) -> list[dict[str, str]]:
    """The rules as they came, if they have the form that Neon asks for."""
    if not isinstance(rules, list):
        raise problems.bad_request("masking_rules must be a list")
    for rule in rules:
        if not isinstance(rule, dict) or not all(isinstance(rule.get(key), str) for key in COLUMN):
            raise problems.bad_request(f"a masking rule needs {', '.join(COLUMN)}")
        if isinstance(rule.get("masking_function"), str) == isinstance(rule.get("masking_value"), str):
            raise problems.bad_request("a masking rule needs either masking_function or masking_value")
    return rules


def turn(neon_branch: NeonBranch, state: str, message: str = "") -> None:
    neon_branch.masking_state, neon_branch.masking_message = state, message
    neon_branch.masking_changed_at = now()


def initialising(neon_branch: NeonBranch) -> Step:
    return Step("apply_config", neon_branch.id, done=lambda: turn(neon_branch, "initialized"))


def anonymising(project: Project, neon_branch: NeonBranch) -> Step:
    """Apply the rules; how it went is in the status, as at Neon, and not in the operation."""
    outcome = ["anonymized", ""]

    def work() -> None:
        with project.lock:
            turn(neon_branch, "anonymizing")
            rules = list(neon_branch.masking_rules or [])
        try:
            _apply(project, neon_branch.timeline, rules)
        except Exception as error:  # a rule that does not fit the schema, in Postgres' words
            outcome[:] = ["error", str(error).strip()]

    return Step("apply_config", neon_branch.id, work=work, done=lambda: turn(neon_branch, *outcome))


def _apply(project: Project, timeline: str, rules: Sequence[Mapping[str, str]]) -> None:
    with project.fleet.awake(timeline):
        for rule in rules:
            with project.fleet.session(timeline, rule["database_name"]) as connection:
                sql.run(connection, "SET session_replication_role = replica")
                table = f"{sql.name(rule['schema_name'])}.{sql.name(rule['table_name'])}"
                column = sql.name(rule["column_name"])
                sql.run(connection, f"UPDATE {table} SET {column} = {_expression(rule)}")


def _expression(rule: Mapping[str, str]) -> str:
    if "masking_value" in rule:
        return sql.text(rule["masking_value"])
    call = CALL.fullmatch(rule["masking_function"])
    template = FUNCTIONS.get(call[1]) if call else None
    if not call or template is None:
        raise ValueError(f"the emulator does not know the masking function {rule['masking_function']}")
    try:
        return template.format(*ARGUMENT.findall(call[2]))
    except IndexError:
        raise ValueError(f"too few arguments: {rule['masking_function']}") from None


def of(neon_branch: NeonBranch) -> list[dict[str, str]]:
    """The rules; Problem 404 for a Neon database branch that is not anonymized."""
    if neon_branch.masking_rules is None:
        raise problems.not_found("anonymized branch")
    return neon_branch.masking_rules


def status(neon_branch: NeonBranch) -> dict[str, Any]:
    of(neon_branch)
    changed = shown(neon_branch.masking_changed_at or neon_branch.created_at)
    failed = {"failed_at": changed} if neon_branch.masking_state.endswith("error") else {}
    return {
        "project_id": neon_branch.project_id,
        "branch_id": neon_branch.id,
        "state": neon_branch.masking_state or "created",
        "status_message": neon_branch.masking_message,
        "created_at": shown(neon_branch.created_at),
        "updated_at": changed,
        **failed,
    }
