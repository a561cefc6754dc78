"""The statements of a migration as a table: what was sent, how long it took, and what it did to others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from neon_hooks.facts import LockHeld, Statement
from neon_hooks.lockmodes import NOTHING, READS_AND_WRITES, blocks
from neon_hooks.report.effects import dropped, held, locks_by_table, lost, weighty
from neon_hooks.report.html.chart import CLASSES
from neon_hooks.report.html.markup import Html, element, together
from neon_hooks.report.timeline import Step
from neon_hooks.report.wording import duration, grouped, one_line, relation

MAX_SQL = 4_000  # characters of one statement
MAX_LOCKS = 30
MAX_NAMES = 3
FIRST_LINE = 110
HEADINGS = ("#", "line", "statement", "time", "rows", "what it did")


def table(steps: Sequence[Step], left_out: int, anchor: str) -> Html:
    """``steps`` are those that are shown; ``left_out`` the number of the others.

    ``anchor`` begins the names by which the timeline finds them.
    """
    longest = max((step.statement.ms for step in steps), default=0.0) or 1.0
    head = element("tr", *(element("th", word, role="columnheader", scope="col") for word in HEADINGS), role="row")
    body = (_row(step, longest, anchor) for step in steps)
    more = element(
        "p",
        f"Left out: {grouped(left_out)} further statements that neither failed nor made anybody wait."
        " The JSON report has them all.",
        class_="quiet",
    )
    return together(
        element(
            "table",
            element("thead", head, role="rowgroup"),
            element("tbody", *body, role="rowgroup"),
            class_="statements",
            role="table",
        ),
        more if left_out else None,
    )


def _row(step: Step, longest: float, anchor: str) -> Html:
    statement = step.statement
    share = f"--share:{statement.ms / longest:.3f}"
    cells = (
        _cell("number", str(step.place)),
        _cell("line", str(statement.line) if statement.line else "", label="line"),
        _cell("sql", _sql(statement)),
        _cell("time", duration(statement.ms), label="time", style=share),
        _cell("rows", "" if statement.rows is None else grouped(statement.rows), label="rows"),
        _cell("did", _did(statement)),
    )
    return element("tr", *cells, id=f"{anchor}{step.number}", role="row", class_="wrong" if statement.error else None)


def _cell(kind: str, content: str, *, label: str | None = None, style: str | None = None) -> Html:
    empty = "" if content else " empty"
    return element("td", content, role="cell", class_=kind + empty, data_label=label, style=style)


def _sql(statement: Statement) -> Html:
    """The first line; the rest, and the locks one by one, when it is opened."""
    sql = statement.sql.strip()
    first = one_line(sql, FIRST_LINE)
    locks = [_lock(lock, statement) for _, locks in locks_by_table(statement) for lock in locks]
    if len(sql) <= FIRST_LINE and "\n" not in sql and not locks:
        return element("code", sql)
    more = f"\n... ({grouped(len(sql) - MAX_SQL)} more characters)" if len(sql) > MAX_SQL else ""
    items = [element("li", text) for text in locks[:MAX_LOCKS]]
    if len(locks) > MAX_LOCKS:
        items.append(element("li", f"{grouped(len(locks) - MAX_LOCKS)} more locks"))
    return element(
        "details",
        element("summary", element("code", first)),
        element("pre", sql[:MAX_SQL] + more),
        element("ul", *items) if items else None,
    )


def _lock(lock: LockHeld, statement: Statement) -> str:
    waits = blocks(lock.mode)
    who = f"blocks {waits}" if waits else "blocks neither reads nor writes"
    return f"{relation(lock.relation)}: {lock.mode}, {who}, {held(lock, statement)}"


def _did(statement: Statement) -> Html:
    chips = [*_wrong(statement), *_locks(statement), *_work(statement)]
    return together(*(element("span", chip, class_=f"chip {kind}", title=title) for kind, chip, title in chips))


Chip = tuple[str, str, str | None]


def _wrong(statement: Statement) -> Iterable[Chip]:
    if statement.error:
        yield "all", statement.error.message, statement.error.detail or None


def _locks(statement: Statement) -> Iterable[Chip]:
    """For each table the strongest; those that nobody waits for are only counted."""
    quiet = []
    for strongest, _ in locks_by_table(statement):
        name = relation(strongest.table or strongest.relation)
        waits = blocks(strongest.mode)
        if waits == NOTHING:
            quiet.append(name)
            continue
        who = f"reads and writes of {name}" if waits == READS_AND_WRITES else f"writes to {name}"
        yield CLASSES[waits], f"{who} wait {duration(strongest.held_ms)}", strongest.mode
    if quiet:
        shown = ", ".join(quiet[:MAX_NAMES]) + (" ..." if len(quiet) > MAX_NAMES else "")
        yield "nothing", f"locks {shown}, nobody waits", None


def _work(statement: Statement) -> Iterable[Chip]:
    yield from (("work", f"rewrites {relation(name)}", None) for name in statement.rewrites)
    yield from (("work", f"reads all of {relation(name)}", None) for name in statement.scans)
    yield from (("lost", dropped(one), None) for one in statement.dropped)
    yield from (("lost", lost(one), None) for one in statement.lost)
    yield from (("work", f"warning {code}", None) for code in statement.warnings)
    if statement.lock_timeout_ms == 0 and weighty(statement):
        yield "plain", "no lock_timeout", "It waits for its locks without limit, and all others behind it."
