"""Who may read and write an existing table after the run: row security, policies, privileges on tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neon_hooks.checks.schema import TableChange, changes
from neon_hooks.checks.wording import Places, listed, shown
from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

ROW_SECURITY = Rule(
    id="row-security-weakened",
    severity=Severity.WARNING,
    condition="Row level security of an existing table is switched off, or one of its policies is gone.",
    effect="Roles see and change rows that they could not before; without its last policy, none at all.",
    fix="keep it, or write beside the statement why everybody may see these rows",
    bad="ALTER TABLE ledgers DISABLE ROW LEVEL SECURITY;",
    good="ALTER TABLE customers ENABLE ROW LEVEL SECURITY;",
)
PUBLIC = Rule(
    id="granted-to-public",
    severity=Severity.WARNING,
    condition="A privilege on an existing table is granted to PUBLIC.",
    effect="Every role has it, also each that is created later.",
    fix="grant it to the roles that need it",
    bad="GRANT SELECT ON customers TO PUBLIC;",
    good="REVOKE ALL ON customers FROM PUBLIC;",
)
REVOKED = Rule(
    id="privilege-revoked",
    severity=Severity.WARNING,
    condition="A role loses a privilege on an existing table.",
    effect="If the deployed code works as that role, its queries fail.",
    fix="revoke it when nothing that is deployed uses it any more",
    bad="REVOKE SELECT ON ledgers FROM PUBLIC;",
    good="REVOKE SELECT ON customers FROM PUBLIC;",
)
RULES = (ROW_SECURITY, PUBLIC, REVOKED)
EVERYBODY = "PUBLIC"


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        places = Places(unit)
        for change in changes(unit):
            if change.after:
                yield from _row_security(change, places)
                yield from _privileges(change, places)


def _row_security(change: TableChange, places: Places) -> Iterator[Finding]:
    assert change.after
    gone = sorted(set(change.before.policies).difference(change.after.policies))
    if change.before.row_security and not change.after.row_security:
        said = f"row level security of {shown(change.after.name)} is switched off"
    elif change.before.row_security and gone:
        said = f"{listed([f'the policy {shown(name)}' for name in gone])} of {shown(change.after.name)} gone"
    else:
        return
    where = places.found_at(places.naming(change.before.name, r"\b(?:SECURITY|POLICY)\b"))
    yield found(ROW_SECURITY, said, evidence={"table": change.after.name, "policies": gone}, **where)


def _privileges(change: TableChange, places: Places) -> Iterator[Finding]:
    assert change.after
    before, after = set(change.before.privileges), set(change.after.privileges)
    granted = sorted(privilege for role, privilege in after - before if role == EVERYBODY)
    revoked = sorted(f"{privilege} of {role}" for role, privilege in before - after)
    where: dict[str, Any] = {"evidence": {"table": change.after.name, "privileges": granted or revoked}}
    if granted:
        where |= places.found_at(places.naming(change.before.name, r"\bGRANT\b"))
        yield found(PUBLIC, f"{listed(granted)} on {shown(change.after.name)} granted to {EVERYBODY}", **where)
    if revoked:
        where["evidence"] = {"table": change.after.name, "privileges": revoked}
        where |= places.found_at(places.naming(change.before.name, r"\bREVOKE\b"))
        yield found(REVOKED, f"{listed(revoked)} on {shown(change.after.name)} revoked", **where)
