"""The timeline for a terminal: a line for each table, a letter for each moment. Pure."""

from __future__ import annotations

from neon_hooks.lockmodes import NOTHING, READS_AND_WRITES, WRITES
from neon_hooks.report.summary import waiting
from neon_hooks.report.timeline import STRENGTH, Lane, Timeline, ticks
from neon_hooks.report.wording import duration, one_line, relation

WIDTH = 60
NAME = 24
MAX_LANES = 12
# From pictures to letters, for a terminal that has only those.
DRAWN = {NOTHING: "─", WRITES: "▒", READS_AND_WRITES: "█"}
TYPED = {NOTHING: "-", WRITES: "w", READS_AND_WRITES: "#"}


def text_chart(timeline: Timeline, *, unicode: bool, everything: bool) -> list[str]:
    """Lines; none where no table was locked. Without ``everything`` only the tables that were blocked."""
    lanes = [lane for lane in timeline.lanes if everything or lane.blocks]
    if not lanes or not timeline.ms:
        return []
    marks = DRAWN if unicode else TYPED
    width = min(NAME, max(len(relation(lane.table)) for lane in lanes))
    edge = "│" if unicode else "|"
    said = {READS_AND_WRITES: "reads and writes wait", WRITES: "writes wait", NOTHING: "nobody waits"}
    lines = ["   ".join(f"{marks[blocks]} {words}" for blocks, words in said.items())]
    lines.append(" " * (width + 2) + _axis(timeline))
    for lane in lanes[:MAX_LANES]:
        name = one_line(relation(lane.table), width)
        who = f" {waiting(lane)}" if lane.blocks else ""
        lines.append(f"{name:<{width}} {edge}{_drawn(lane, timeline, marks)}{edge}{who}")
    if len(lanes) > MAX_LANES:
        lines.append(f"... and {len(lanes) - MAX_LANES} more tables that were blocked for less time")
    return lines


def _drawn(lane: Lane, timeline: Timeline, marks: dict[str, str]) -> str:
    """In each place the strongest of the locks; a lock has at least one."""
    places = [""] * WIDTH
    for bar in sorted(lane.bars, key=lambda bar: STRENGTH.index(bar.blocks)):
        first = min(WIDTH - 1, int((bar.start - timeline.start) / timeline.ms * WIDTH))
        last = max(first + 1, round((bar.end - timeline.start) / timeline.ms * WIDTH))
        places[first:last] = [marks[bar.blocks]] * (min(last, WIDTH) - first)
    return "".join(place or " " for place in places)


def _axis(timeline: Timeline) -> str:
    line = ""
    for ms in ticks(timeline.ms, most=5):
        place = int(ms / timeline.ms * WIDTH)
        if place >= len(line):
            line = line.ljust(place) + (duration(ms) if ms else "0") + " "
    return line.rstrip()
