"""Two pushes that are fine alone: what stands in the way of trying them together, and which others there are.

What is wrong with the one that comes second is said by every other check; ``told`` adds what it came after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from neon_hooks.checks.sqlstates import name_of
from neon_hooks.facts import Earlier, Facts, OtherPush
from neon_hooks.findings import Finding, Rule, Severity, counted, found

CLASH = Rule(
    id="merge-conflict",
    severity=Severity.ERROR,
    acceptable=False,
    condition="git cannot merge what `--with` names and this push.",
    effect="Whoever comes second must resolve it by hand, and nobody has tried what comes of that.",
    fix="merge the one into the other, resolve the conflict, and validate the result",
)
FIRST_FAILS = Rule(
    id="fails-when-first",
    severity=Severity.ERROR,
    acceptable=False,
    condition="One of two pushes does not run through on a copy of the main Neon database branch when it is deployed first.",
    effect="If it is, its deployment fails; what the other one does after it was not tried.",
    fix="let the deployment of the one wait for the other, or let its migration need nothing of the other's",
)
ANOTHER = Rule(
    id="another-push",
    severity=Severity.NOTE,
    acceptable=False,
    condition="Another git branch brings migrations for the same database, and neither this push nor the main line has them.",
    effect="Each may be fine alone, and fail after the other.",
    fix="try both in either order with the command above; `[trials] offers = false` switches this off",
)
RULES = (CLASH, FIRST_FAILS, ANOTHER)
OURS = {rule.id for rule in RULES}
FAILS = "migration-fails"
ADAPT = "if it does not fail alone: merge what goes first, and adapt the other one to it"
SHOWN, OFFERED = 3, 3


def check(facts: Facts) -> Iterator[Finding]:
    if facts.clash:
        what, paths = facts.clash, facts.clash.paths
        yield found(
            CLASH,
            f"git cannot merge {what.git_ref} with {_all(what.before)}: {counted(len(paths), 'conflict')}, so nothing was tried",
            path=paths[0],
            quote="\n".join(paths),
            evidence={"git_refs": [*what.before, what.git_ref], "paths": list(paths)},
        )
    for step in facts.earlier:
        if step.failed:
            yield _failed(step, facts)
    yield from _offers(facts)


def _failed(step: Earlier, facts: Facts) -> Finding:
    failed = step.run.failed
    if failed and failed.error:
        said = f"{failed.error.message} (SQLSTATE {failed.error.sqlstate}, {name_of(failed.error.sqlstate)})"
        quote, path, line = failed.sql.strip(), failed.path, failed.line
    elif step.run.exit_code:
        said = f"`{' '.join(step.run.argv)}` ended with exit code {step.run.exit_code}"
        quote, path, line = "\n".join(step.run.output.strip().splitlines()[-10:]), "", 0
    else:
        said, quote, path, line = f"{_some(step.missing)} not recorded", "", "", 0
    return found(
        FIRST_FAILS,
        f"{step.git_ref} ({_some(step.paths)}) does not run through before {facts.range.git_ref} ({_some(_pushed(facts))}):"
        f" {said}",
        path=path or next(iter(step.paths), ""),
        line=line,
        system=step.system,
        quote=quote,
        evidence={"first": step.git_ref, "then": facts.range.git_ref, "paths": list(step.paths)},
    )


def _offers(facts: Facts) -> Iterator[Finding]:
    for number, other in enumerate(facts.others[:OFFERED], start=1):
        words = ("neon-hooks validate", facts.asking, f"--with {other.git_ref}")
        command = f"{other.fetch} && " * bool(other.fetch) + " ".join(filter(None, words))
        more = len(facts.others) - OFFERED if number == OFFERED else 0
        yield found(
            ANOTHER,
            f"{_brings(other)}{f' (and {more} more git branches)' if more > 0 else ''}; to try both: {command}",
            evidence={"git_ref": other.git_ref, "paths": list(other.paths), "neon_branch": other.neon_branch},
            command=command,
        )


def _brings(other: OtherPush) -> str:
    if other.paths:
        return f"{other.git_ref} brings {_some(other.paths)}, too"
    return f"{other.git_ref} is tried just now on {other.neon_branch}"


def told(findings: Iterable[Finding], facts: Facts) -> list[Finding]:
    """The findings about a push that came after others, with the git branches that carry what."""
    if not facts.range.after:
        return list(findings)
    first = ", ".join(f"{step.git_ref} ({_some(_paths_of(step.git_ref, facts))})" for step in facts.range.after)
    words = f", once {first} is deployed before {facts.range.git_ref} ({_some(_pushed(facts))})"
    return [_with(words, each) if each.severity != Severity.NOTE and each.rule not in OURS else each for each in findings]


def _with(words: str, finding: Finding) -> Finding:
    fix = f"{ADAPT}; else: {finding.fix}" if finding.rule == FAILS else finding.fix
    return replace(finding, message=finding.message + words, fix=fix)


def _paths_of(git_ref: str, facts: Facts) -> list[str]:
    return [path for step in facts.earlier if step.git_ref == git_ref for path in step.paths]


def _pushed(facts: Facts) -> list[str]:
    works = [unit.work for unit in facts.units]
    return [migration.path for work in works for migration in work.pushed] or [path for work in works for path in work.models]


def _some(paths: Sequence[str]) -> str:
    """ "a.sql", "a.sql, b.sql and 3 more"."""
    names = list(dict.fromkeys(paths))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more if names else "no migrations"


def _all(names: Sequence[str]) -> str:
    return " and ".join(names)
