"""The timeline as a picture: a row for each table, a bar for each lock, coloured and as high as it hurts.

Plain elements placed in percent of the row's width, so that the picture fits every screen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from neon_hooks.facts import Transaction
from neon_hooks.lockmodes import NOTHING, READS_AND_WRITES, WRITES
from neon_hooks.report.html.markup import Child, Html, element, together
from neon_hooks.report.timeline import Bar, Lane, Section, Step, Timeline, joined, ticks
from neon_hooks.report.wording import duration, grouped, one_line, relation, size

MAX_LANES = 40
MAX_LANES_CLOSE = 12
MAX_STEPS = 400  # in a row of statements, transactions or migrations
MAX_STEPS_CLOSE = 100
NARROWEST = 0.3  # percent of the width: bars that are closer would touch, and are joined
LABEL_FROM = 14.0  # percent of the width from which on a bar has room for words
NUMBER_FROM = 2.6
CLASSES = {READS_AND_WRITES: "all", WRITES: "writes", NOTHING: "nothing"}
WAITING = {READS_AND_WRITES: "reads and writes wait", WRITES: "writes wait", NOTHING: "nobody waits"}


def chart(timeline: Timeline, anchor: str, shown: Collection[int], *, close: bool = False) -> Html:
    """``anchor`` begins the names of the statements that are ``shown`` on the page: bars lead to them.

    ``close``: of one migration, where only what is blocked is of interest.
    """
    if not timeline.steps:
        return Html("")
    scale = _Scale(timeline, anchor, shown)
    steps = {step.number: step for step in timeline.steps}
    rows = [_axis(scale)]
    most_lanes, most_steps = (MAX_LANES_CLOSE, MAX_STEPS_CLOSE) if close else (MAX_LANES, MAX_STEPS)
    lanes = [lane for lane in timeline.lanes if lane.blocks or not close][:most_lanes]
    if timeline.sections and not close:
        rows.append(_row("migrations", "", [_section(one, scale) for one in timeline.sections[:MAX_STEPS]], kind="sections"))
    if timeline.transactions:
        rows.append(_row("transactions", "", _transactions(timeline, scale), kind="transactions"))
    rows.append(_row("statements", "", _steps(timeline, scale, most_steps), kind="steps"))
    rows += [_lane(lane, scale, steps) for lane in lanes]
    grid = f"--tick:{scale.percent(scale.tick):.4f}%"
    return together(
        element(
            "div",
            element("div", *rows, class_="chart", style=grid),
            class_="scroll",
            role="region",
            tabindex="0",
            aria_label="Timeline of locks",
        ),
        None if close else _left_out(timeline),
    )


def legend() -> Html:
    keys = [
        element("span", element("i", class_=f"key {CLASSES[blocks]}"), WAITING[blocks]) for blocks in WAITING
    ]
    return element("p", *keys, class_="legend")


class _Scale:
    """Milliseconds of the run to percent of the width, and statements to places on the page."""

    def __init__(self, timeline: Timeline, anchor: str, shown: Collection[int]) -> None:
        self.anchor = anchor
        self.shown = shown
        self.start = timeline.start
        self.ms = timeline.ms or 1.0
        self.ticks = ticks(self.ms)
        self.tick = self.ticks[1] if len(self.ticks) > 1 else self.ms

    def percent(self, ms: float) -> float:
        return 100.0 * ms / self.ms

    def style(self, start: float, end: float) -> str:
        """A bar stays within its row also where its least width is more than its time."""
        left = min(self.percent(start - self.start), 100.0)
        return f"left:min({left:.3f}%,100% - 3px);width:{max(0.0, self.percent(end - start)):.3f}%"

    def link(self, step: Step) -> str:
        """ "" where no table has the statement."""
        return f"#{self.anchor}{step.number}" if step.number in self.shown else ""

    def said(self, start: float, end: float) -> str:
        return f"from {duration(start - self.start)} to {duration(end - self.start)}"


def _row(name: str, about: str, marks: Iterable[Html], *, kind: str, end: Child = None) -> Html:
    """``end`` stands at the right, behind the track."""
    return element(
        "div",
        element("div", element("b", name, title=name), element("small", about) if about else None, class_="name"),
        element("div", *marks, class_="track"),
        element("div", end, class_="end"),
        class_=f"row {kind}",
    )


def _axis(scale: _Scale) -> Html:
    marks = []
    for ms in scale.ticks:
        percent = scale.percent(ms)
        if percent <= 97 or len(scale.ticks) == 1:
            marks.append(element("span", duration(ms) if ms else "0", style=f"left:{percent:.3f}%"))
    return element(
        "div",
        element("div", class_="name"),
        element("div", *marks, class_="track", aria_hidden="true"),
        element("div", "in total", class_="end"),
        class_="row axis",
    )


def _section(section: Section, scale: _Scale) -> Html:
    migration = section.migration
    name = migration.path.rpartition("/")[2] or migration.id
    wide = scale.percent(section.end - section.start) >= 4
    span = section.start, section.end
    title = f"{migration.path}: {duration(section.end - section.start)}, {scale.said(*span)}"
    return element("span", name if wide else None, class_="mark", style=scale.style(*span), title=title)


def _transactions(timeline: Timeline, scale: _Scale) -> Iterable[Html]:
    for one in timeline.transactions[:MAX_STEPS]:
        ms = one.ended_ms - one.started_ms
        title = f"transaction {one.number}, {_end(one)}: {duration(ms)}, {scale.said(one.started_ms, one.ended_ms)}"
        wide = scale.percent(ms) >= LABEL_FROM
        yield element(
            "span",
            f"{_end(one)} after {duration(ms)}" if wide else None,
            class_="mark" if one.committed else "mark undone",
            style=scale.style(one.started_ms, one.ended_ms),
            title=title,
        )


def _end(transaction: Transaction) -> str:
    return "committed" if transaction.committed else "rolled back"


def _steps(timeline: Timeline, scale: _Scale, most: int) -> Iterable[Html]:
    for step in sorted(timeline.steps, key=lambda step: step.statement.ms, reverse=True)[:most]:
        yield _step(step, scale)


def _step(step: Step, scale: _Scale) -> Html:
    start, end = step.span
    percent = scale.percent(end - start)
    words = str(step.place or "") + (f" {step.statement.tag}" if percent >= LABEL_FROM else "")
    title = f"{_who(step)}: {one_line(step.statement.sql, 100)}\n{duration(end - start)}, {scale.said(start, end)}"
    wrong = " wrong" if step.statement.error else ""
    return _linked(
        scale.link(step),
        words if percent >= NUMBER_FROM else None,
        class_=f"mark{wrong}",
        style=scale.style(start, end),
        title=title,
    )


def _lane(lane: Lane, scale: _Scale, steps: dict[int, Step]) -> Html:
    about = [f"{grouped(lane.rows)} rows"] if lane.rows is not None else []
    about += [size(lane.bytes)] if lane.bytes else []
    # The gravest are drawn last, over the others.
    bars = sorted(joined(lane.bars, scale.ms * NARROWEST / 100), key=lambda bar: len(bar.blocks))
    return _row(
        relation(lane.table),
        ", ".join(about),
        [_bar(bar, lane, scale, steps) for bar in bars],
        kind=f"lane {CLASSES[lane.blocks]}",
        end=_waits(lane),
    )


def _waits(lane: Lane) -> Html:
    """How long reads and writes wait, and writes alone where that is longer."""
    reads, writes = duration(lane.reads_blocked), duration(lane.writes_blocked)
    shown = []
    if lane.reads_blocked:
        shown.append(element("span", reads, class_="all", title="reads wait"))
    if lane.writes_blocked and writes != reads:
        shown.append(element("span", writes, class_="writes", title="writes wait"))
    return together(*shown)


def _bar(bar: Bar, lane: Lane, scale: _Scale, steps: dict[int, Step]) -> Html:
    step = steps[bar.number]
    what = step.statement.tag or one_line(step.statement.sql, 40)
    first, together = (f"{grouped(bar.count)} locks, the first by ", " together") if bar.count > 1 else ("", "")
    mode = f" ({bar.mode})" if bar.mode else ""
    title = (
        f"{relation(lane.table)}: {WAITING[bar.blocks]}{mode}, held {duration(bar.held)}{together},"
        f" {scale.said(bar.start, bar.end)}\n"
        f"{first}{_who(step)}: {what}"
    )
    wide = bar.blocks and scale.percent(bar.end - bar.start) >= LABEL_FROM
    return _linked(
        scale.link(step),
        f"{duration(bar.held)}, {what}" if wide else None,
        class_=f"bar {CLASSES[bar.blocks]}",
        style=scale.style(bar.start, bar.end),
        title=title,
    )


def _who(step: Step) -> str:
    if step.migration is None:
        return "the tool's own statement"
    return f"{step.migration.path.rpartition('/')[2]}, statement {step.place}"


def _linked(link: str, label: str | None, **attributes: str) -> Html:
    """A bar leads to its statement in the table below.

    That table tells a keyboard or a screen reader the same without hundreds of stops on the way.
    """
    if not link:
        return element("span", label, role="img", **attributes)
    return element("a", label, href=link, tabindex="-1", **attributes)


def _left_out(timeline: Timeline) -> Html:
    said = []
    if len(timeline.lanes) > MAX_LANES:
        said.append(f"{grouped(len(timeline.lanes) - MAX_LANES)} tables that were blocked for less time")
    if len(timeline.steps) > MAX_STEPS:
        said.append(f"the {grouped(len(timeline.steps) - MAX_STEPS)} shortest statements")
    return element("p", f"Not drawn: {' and '.join(said)}.", class_="quiet") if said else Html("")
