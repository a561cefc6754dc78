"""Where a report goes: the formats, and what the flags --format, --output and --html ask for."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from neon_hooks.outcome import Outcome
from neon_hooks.report import as_github, as_json, as_junit, as_markdown, as_sarif, html, out

Renderer = Callable[[Sequence[Outcome]], str]
TEXT = "text"  # terminal.py's, which is printed while the refs are validated one after the other
FORMATS: Mapping[str, Renderer] = {
    "json": as_json.render,
    "markdown": as_markdown.render,
    "sarif": as_sarif.render,
    "junit": as_junit.render,
    "github": as_github.render,
}
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def prints_text(flags: Namespace) -> bool:
    """With --output the text is printed all the same."""
    return flags.format == TEXT or bool(flags.output)


def publish(
    outcomes: Sequence[Outcome], text: str, flags: Namespace, environ: Mapping[str, str]
) -> None:
    """Everything but the text itself. Raises UsageError for a file that cannot be written."""
    formatted = text if flags.format == TEXT else FORMATS[flags.format](outcomes)
    if flags.output:
        out.save(flags.output, formatted)
    elif flags.format != TEXT and formatted:
        out.say(formatted)
    if flags.html:
        out.save(flags.html, html.render(outcomes), flag="--html")
    if flags.format == "github" and environ.get(STEP_SUMMARY) and outcomes:
        # GitHub shows this file on the page of the run; other steps write to it as well.
        out.append(Path(environ[STEP_SUMMARY]), as_markdown.render(outcomes))
