"""The page from top to bottom: verdict, figures, timeline, findings, migrations, schema, where it was tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from neon_hooks.facts import MigrationRun, UnitFacts
from neon_hooks.findings import Finding, counted
from neon_hooks.outcome import Outcome, Verdict
from neon_hooks.report import summary, wording
from neon_hooks.report.effects import chosen, chosen_migrations
from neon_hooks.report.html import chart, statements
from neon_hooks.report.html.markup import Html, element, together
from neon_hooks.report.timeline import Timeline, timeline
from neon_hooks.report.wording import commits, duration, plain

MAX_STATEMENTS = 600  # on the whole page, shared out evenly
FEWEST = 5  # of one migration
MAX_MIGRATIONS = 200
MAX_DIFF_LINES = 2_000
VERDICTS = {Verdict.PASS: "passed", Verdict.BLOCK: "blocked", Verdict.UNKNOWN: "unknown"}
OPEN_UP_TO = 60  # statements on the page up to which they are shown at once
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
NOT_SEEN = "No statement of this migration was seen."
ZOOM = range(2, 51)  # numbers of migrations with which each has a picture of its own


@dataclass(frozen=True)
class _Part:
    """A migration system on the page. ``anchor`` begins the names of its statements.

    ``migrations`` are those that the page has room for, ``shown`` the numbers of their statements for which
    it has.
    """

    unit: UnitFacts
    line: Timeline
    anchor: str
    migrations: tuple[MigrationRun, ...]
    shown: frozenset[int]


def render(outcomes: Sequence[Outcome]) -> str:
    title = "neon-hooks: " + ", ".join(VERDICTS[one.verdict] for one in outcomes) if outcomes else "neon-hooks"
    style = (files("neon_hooks.report.html") / "style.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        # The page needs nothing, so it may not ask for anything either.
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("title", title),
        element("style", Html(style)),
    )
    body = [_outcome(outcome, f"r{number}") for number, outcome in enumerate(outcomes, start=1)]
    nothing = None if body else element("main", element("p", "Nothing was pushed."))
    return "<!DOCTYPE html>\n" + element("html", head, element("body", *body, nothing), lang="en")


def _outcome(outcome: Outcome, name: str) -> Html:
    number = sum(min(len(unit.migrations), MAX_MIGRATIONS) for unit in outcome.facts.units)
    most = max(FEWEST, MAX_STATEMENTS // max(1, number))
    parts = [_part(unit, f"{name}u{number}s", most) for number, unit in enumerate(outcome.facts.units, start=1)]
    return element(
        "main",
        _header(outcome, [part.line for part in parts]),
        _unknown(outcome),
        *(_timeline(part, several=len(parts) > 1) for part in parts),
        _findings(outcome.findings),
        *_migrations(parts),
        *(_diff(part.unit, several=len(parts) > 1) for part in parts),
        _about(outcome),
    )


def _part(unit: UnitFacts, anchor: str, most: int) -> _Part:
    line = timeline(unit)
    migrations = chosen_migrations(line, unit.migrations, MAX_MIGRATIONS)
    shown = {step.number for migration in migrations for step in chosen(line.steps_of(migration), most)}
    return _Part(unit, line, anchor, tuple(migrations), frozenset(shown))


def _header(outcome: Outcome, lines: Sequence[Timeline]) -> Html:
    verdict = VERDICTS[outcome.verdict]
    git_ref = outcome.facts.range.git_ref.removeprefix("refs/heads/")
    where = element(
        "p",
        element("b", "neon-hooks"),
        element("span", git_ref) if git_ref else None,
        element("code", commits(outcome.facts)),
        class_="where",
    )
    figures = [
        element("div", element("dt", name), element("dd", value, element("small", about)), class_=kind)
        for name, value, about, kind in summary.figures(outcome, lines)
    ]
    return element(
        "header",
        where,
        element("p", element("span", verdict, class_=f"verdict {verdict}")),
        element("h1", summary.headline(outcome)),
        element("dl", *figures, class_="figures") if figures else None,
        *(element("p", f"Note: {said}.", class_="unseen") for said in wording.unseen(outcome.facts)),
        *(element("p", f"{said[:1].upper()}{said[1:]}.", class_="unseen") for said in wording.coverage(outcome.facts)),
    )


def _unknown(outcome: Outcome) -> Html:
    said = []
    if outcome.error:
        waiting = summary.not_validated(outcome)
        said.append(
            element(
                "article",
                element("p", f"Could not validate: {outcome.error.message}", class_="what"),
                _fix(outcome.error.fix),
                element("p", element("b", "Not validated "), ", ".join(waiting)) if waiting else None,
                class_="finding warning",
            )
        )
    if outcome.left_over:
        said.append(element("article", element("p", outcome.left_over, class_="what"), class_="finding warning"))
    return element("section", *said) if said else Html("")


def _findings(findings: Sequence[Finding]) -> Html:
    if not findings:
        return Html("")
    return element("section", element("h2", "Findings"), *(_finding(finding) for finding in findings))


def _finding(finding: Finding) -> Html:
    effect = wording.effect(finding.rule)
    place = wording.place_of(finding)
    return element(
        "article",
        element(
            "p",
            element("span", str(finding.severity), class_="severity"),
            element("code", finding.rule, class_="rule"),
            element("code", place, class_="place") if place else None,
            class_="tags",
        ),
        element("p", finding.message, class_="what"),
        element("pre", finding.quote) if finding.quote else None,
        element("p", element("b", "Why "), effect) if effect else None,
        _fix(finding.fix),
        class_=f"finding {finding.severity}",
    )


def _fix(fix: str) -> Html:
    """A text of several lines is code that can be taken over."""
    if "\n" in fix.strip():
        return together(element("p", element("b", "Fix")), element("pre", fix))
    return element("p", element("b", "Fix "), fix) if fix else Html("")


def _named(unit: UnitFacts) -> str:
    return f"{unit.unit.system} in {unit.unit.root or '.'}"


def _timeline(part: _Part, *, several: bool) -> Html | None:
    if not part.line.lanes and len(part.line.steps) < 2:
        return None
    heading = f"Timeline: {_named(part.unit)}" if several else "Timeline"
    drawn = chart.chart(part.line, part.anchor, part.shown)
    legend = chart.legend() if part.line.lanes else None
    return element("section", element("h2", heading), legend, drawn, class_="timeline")


def _migrations(parts: Sequence[_Part]) -> Iterable[Html]:
    if not any(part.unit.migrations for part in parts):
        return
    few = sum(len(part.line.steps) for part in parts) <= OPEN_UP_TO
    yield element("h2", "Migrations")
    for part in parts:
        yield from (_migration(migration, part, few) for migration in part.migrations)
        left_out = len(part.unit.migrations) - len(part.migrations)
        if left_out:
            said = f"Left out: {counted(left_out, 'further migration')} that made nobody wait for long."
            yield element("p", said, class_="quiet")
    others = sum(len(part.unit.first.statements) for part in parts if part.unit.first)
    others -= sum(len(migration.statements) for part in parts for migration in part.unit.migrations)
    if others > 0:
        said = f"{counted(others, 'further statement')} of the tool itself: its bookkeeping, mostly."
        yield element("p", said, class_="quiet")


def _migration(migration: MigrationRun, part: _Part, few: bool) -> Html:
    """``few``: its statements are shown at once."""
    section = part.line.section_of(migration)
    head = element("h3", element("code", migration.path), *_badges(summary.states(migration)))
    if section is None:
        return element("section", head, element("p", NOT_SEEN, class_="quiet"), class_="migration")
    inside = part.line.within(section)
    shown = [step for step in inside.steps if step.number in part.shown]
    return element(
        "section",
        head,
        _zoom(inside, part) if len(part.line.sections) in ZOOM else None,
        element(
            "details",
            element("summary", summary.sentence(inside)),
            statements.table(shown, len(inside.steps) - len(shown), part.anchor),
            class_="list",
            open=few,
        ),
        class_="migration",
    )


def _badges(states: Iterable[tuple[str, str]]) -> Iterable[Html]:
    return (element("span", state, class_=f"chip {kind}") for kind, state in states)


def _zoom(inside: Timeline, part: _Part) -> Html | None:
    """Where the whole picture is too coarse for one migration."""
    if not any(lane.blocks for lane in inside.lanes):
        return None
    drawn = chart.chart(inside, part.anchor, part.shown, close=True)
    return element("details", element("summary", "Timeline of this migration"), drawn, class_="zoom")


def _diff(unit: UnitFacts, *, several: bool) -> Html:
    if not unit.schema_diff:
        return Html("")
    lines = plain(unit.schema_diff).splitlines()
    kinds = {"+": "came", "-": "went"}
    shown = [element("span", line + "\n", class_=kinds.get(line[:1])) for line in lines[:MAX_DIFF_LINES]]
    more = f"... ({counted(len(lines) - MAX_DIFF_LINES, 'more line')})" if len(lines) > MAX_DIFF_LINES else None
    heading = f"Schema: {_named(unit)}" if several else "What changed in the schema"
    return element("section", element("h2", heading), element("pre", *shown, more, class_="diff"))


def _about(outcome: Outcome) -> Html:
    rows = [
        element("div", element("dt", name), element("dd", value))
        for name, value in summary.about(outcome)
        if value
    ]
    times = [
        element("tr", element("th", stage, scope="row"), element("td", duration(ms)))
        for stage, ms in outcome.facts.timings.items()
    ]
    return element(
        "footer",
        element("h2", "Where it was tried"),
        element("dl", *rows, class_="about"),
        element("table", element("caption", "Time"), element("tbody", *times), class_="times") if times else None,
    )


