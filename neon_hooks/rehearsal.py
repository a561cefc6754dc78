"""One pushed range, from the gate to the report. Loaded only when there is something to try or to say."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping

from neon_hooks.checks import check_rule_ids, judge
from neon_hooks.deadline import Deadline
from neon_hooks.errors import Unavailable
from neon_hooks.facts import Facts
from neon_hooks.git import Repository
from neon_hooks.lifetime import interruptible
from neon_hooks.outcome import Outcome
from neon_hooks.pushed import Attempt
from neon_hooks.report import out, terminal
from neon_hooks.report.publish import prints_text
from neon_hooks.report.status import StatusLine
from neon_hooks.settings import Settings


def rehearse(
    repository: Repository,
    attempt: Attempt,
    *,
    settings: Settings,
    environ: Mapping[str, str],
    flags: Namespace,
) -> tuple[Outcome, str]:
    """Validate, and tell it in words, which are printed unless --format wants something else."""
    check_rule_ids(settings.rules, settings.origin.get("rules", ""))
    facts = Facts(attempt.range, clash=attempt.clash)
    outcome = Outcome(facts)
    if attempt.clash:
        nothing = Unavailable("nothing could be tried", fix="resolve the conflict first")
        outcome = Outcome(facts, judge(facts, settings.rules), nothing)
    elif attempt.works:
        from neon_hooks.gate import Gate

        deadline = Deadline.after(settings.deadline)
        with StatusLine(environ) as say, interruptible(deadline):
            outcome = Gate(repository, settings, environ, deadline, say).validate(attempt.range, attempt.works)
    return outcome, tell(outcome, settings, flags, _skip(outcome, environ))


def _skip(outcome: Outcome, environ: Mapping[str, str]) -> str:
    verb = "commit" if outcome.facts.range.staged else "push"
    if environ.get("PRE_COMMIT") == "1":
        return f"SKIP=neon-validate-migrations git {verb}"
    return f"git {verb} --no-verify"


def tell(outcome: Outcome, settings: Settings, flags: Namespace, skip: str) -> str:
    """The outcome in words, which are printed unless --format asks for something else. publish.py does the rest.

    ``skip`` is the command that goes round the hook.
    """
    text = terminal.render(
        outcome,
        verbose=settings.verbose,
        skip=skip,
        on_unavailable=settings.on_unavailable,
        unicode=out.shows_unicode(),
    )
    if text and prints_text(flags):
        out.say(text)
    return text
