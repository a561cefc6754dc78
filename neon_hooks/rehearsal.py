"""One pushed range, from the gate to the report. Loaded only when there is something to try or to say."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence

from neon_hooks.changes import Range
from neon_hooks.checks import check_rule_ids
from neon_hooks.deadline import Deadline
from neon_hooks.facts import Facts
from neon_hooks.git import Repository
from neon_hooks.lifetime import interruptible
from neon_hooks.outcome import Outcome, exit_code
from neon_hooks.plan import Work
from neon_hooks.report import as_json, out, terminal
from neon_hooks.report.status import StatusLine
from neon_hooks.settings import Settings


def rehearse(
    repository: Repository,
    pushed: Range,
    works: Sequence[Work],
    *,
    settings: Settings,
    environ: Mapping[str, str],
    flags: Namespace,
) -> tuple[str, int]:
    """Validate, print, and return the text for --output and the exit code."""
    check_rule_ids(settings.rules, settings.origin.get("rules", ""))
    outcome = Outcome(Facts(pushed))
    if works:
        from neon_hooks.gate import Gate

        deadline = Deadline.after(settings.deadline)
        with StatusLine(environ) as say, interruptible(deadline):
            outcome = Gate(repository, settings, environ, deadline, say).validate(pushed, works)
    return _tell(outcome, settings, environ, flags), exit_code(outcome, settings.on_unavailable)


def _tell(outcome: Outcome, settings: Settings, environ: Mapping[str, str], flags: Namespace) -> str:
    """Print the report; returns what --output gets. With --output the text is printed all the same."""
    verb = "commit" if outcome.facts.range.staged else "push"
    skip = f"git {verb} --no-verify"
    if environ.get("PRE_COMMIT") == "1":
        skip = f"SKIP=neon-validate-migrations git {verb}"
    text = terminal.render(
        outcome, verbose=settings.verbose, skip=skip, on_unavailable=settings.on_unavailable
    )
    formatted = as_json.render(outcome) if flags.format == "json" else text
    shown = text if flags.output else formatted
    if shown:
        out.say(shown)
    return formatted
