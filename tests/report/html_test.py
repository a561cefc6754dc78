"""The page: one file, nothing beside it, and no text of others that becomes markup."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from neon_hooks.facts import Evidence, Statement
from neon_hooks.outcome import Outcome
from neon_hooks.report import html
from neon_hooks.report.wording import plain
from tests.growth import growth
from tests.report import runs

STYLE = (Path(html.__file__).parent / "style.css").read_text()
VOID = {"meta", "br", "hr"}


class Page(HTMLParser):
    """Elements with their attributes, and the text between them. Fails for tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def having(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def page(*outcomes: Outcome) -> Page:
    return Page(html.render(outcomes))


EVERY = pytest.mark.parametrize("run", runs.RUNS.values(), ids=runs.RUNS)


@EVERY
def test_the_page_needs_nothing_but_itself(run: Callable[[], Outcome]) -> None:
    shown = page(run())
    assert not {tag for tag, _ in shown.elements} & {"script", "link", "img", "iframe", "object", "form", "base", "svg"}
    for _, attributes in shown.elements:
        assert not any(name.startswith("on") or name in ("src", "srcset") for name in attributes)
        assert attributes.get("href", "#").startswith("#")
        assert "url(" not in attributes.get("style", "")
    assert "url(" not in STYLE and "@import" not in STYLE and "http" not in STYLE


@EVERY
def test_every_bar_leads_to_a_statement_of_the_page_that_has_its_name_alone(run: Callable[[], Outcome]) -> None:
    shown = page(run(), run())  # two refs in one push
    names = Counter(shown.having("id"))
    assert set(names.values()) <= {1}
    assert {link.removeprefix("#") for link in shown.having("href")} <= set(names)


def test_hostile_text_stays_text_wherever_it_stands() -> None:
    shown = page(runs.hostile())
    assert "script" not in {tag for tag, _ in shown.elements}
    said = plain(runs.HOSTILE).splitlines()
    assert all(line in shown.text for line in said)
    source = html.render((runs.hostile(),))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", source)
    source.encode()


def test_the_head_says_the_verdict_and_what_matters() -> None:
    shown = page(runs.shop())
    assert shown.texts[shown.texts.index("blocked") + 1].startswith("Writes to orders (1 204 331 rows) are blocked for 4.2 s")
    for said in ("faster-orders", "b3f1b3f1b3f1..c7a9c7a9c7a9", "a read waits at most", "br-late-fog-83014256", "18.1", "apply again"):
        assert said in shown.text
    assert "passed" in page(runs.many()).texts


def test_locks_are_bars_with_their_length_and_what_they_block() -> None:
    titles = page(runs.shop()).having("title")
    (carts,) = [title for title in titles if title.startswith("carts:") and "0042" in title][:1]
    assert carts == (
        "carts: reads and writes wait (AccessExclusiveLock), held 4.2 s, from 10 ms to 4.2 s\n"
        "0042_orders_by_customer.py, statement 2: ALTER TABLE"
    )
    assert any(title.startswith("orders: writes wait (ShareLock), held 4.2 s") for title in titles)
    assert any(title.startswith("transaction 2, committed: 1.4 s") for title in titles)
    assert any(title.startswith("transaction 1, rolled back: 9 ms") for title in page(runs.hostile()).having("title"))


def test_a_statement_tells_what_it_did() -> None:
    shown = page(runs.shop())
    for said in (
        "writes to orders wait 4.2 s",
        "rewrites users",
        "reads all of orders",
        "drops view active_users (cascade)",
        "299 870 values of users.legacy_email are gone",
        "no lock_timeout",
        "orders_pkey: AccessShareLock, blocks neither reads nor writes, held 4.2 s",
        "2 further statements of the tool itself: its bookkeeping, mostly.",
        "-view public.active_users\n",
    ):
        assert said in shown.texts


def test_a_short_lock_in_a_long_run_stays_visible() -> None:
    short = Statement("LOCK a", started_ms=10.0, ms=0.01, locks=(runs.lock("public.a", "AccessExclusiveLock", 10.0, 0.01),), tag="LOCK TABLE")
    long = Statement("SELECT pg_sleep(240)", started_ms=11.0, ms=240_000.0, tag="SELECT")
    bars = [attributes for _, attributes in page(runs.of((("m/1.sql", (short, long)),))).elements if "bar all" in attributes.get("class", "")]
    assert len(bars) == 1 and "width:0.000%" in bars[0]["style"]
    assert re.search(r"\.mark, \.bar \{[^}]*min-width: 3px", STYLE)


def test_thousands_of_statements_stay_fast_and_what_is_left_out_is_said() -> None:
    shown = page(runs.many(60, 6_000))
    assert len(shown.elements) < 25_000
    assert growth(lambda statements: page(runs.many(60, statements)), 1_000, 6_000) < 20  # quadratic would be 36
    assert "Not drawn: 20 tables that were blocked for less time and the 5 600 shortest statements." in shown.text
    assert {link.removeprefix("#") for link in shown.having("href")} <= set(shown.having("id"))
    assert "Left out: 450 further statements" in shown.text


def test_of_thousands_of_migrations_those_that_hurt_are_shown() -> None:
    def sql(number: int) -> Statement:
        locks = (runs.lock("public.a", "AccessExclusiveLock", number * 10.0, 9.0),) if number == 1500 else ()
        return Statement(f"SELECT {number}", started_ms=number * 10.0, ms=9.0, locks=locks)

    shown = page(runs.of([(f"m/{number:04}.sql", (sql(number),)) for number in range(2000)]))
    assert len(shown.elements) < 15_000
    assert "m/1500.sql" in shown.texts
    assert "Left out: 1 800 further migrations that made nobody wait for long." in shown.texts


def test_what_was_not_recorded_is_not_passed_off_as_harmless() -> None:
    outcome = runs.refused()
    (unit,) = outcome.facts.units
    assert unit.first
    run = replace(unit.first, evidence=Evidence.NONE, unrecorded="its driver speaks HTTP")
    blind = replace(outcome, facts=replace(outcome.facts, units=(replace(unit, first=run),)))
    assert "a read waits at most" not in page(blind).text
    assert "Note: the locks of alembic in services/shop were not recorded: its driver speaks HTTP." in page(blind).text


def test_without_migrations_or_an_answer_the_page_says_so() -> None:
    assert "This push brings no migrations" in page(runs.nothing()).texts
    assert "Nothing was pushed." in page().texts
    shown = page(runs.unknown())
    assert {"unknown", "Could not validate: NEON_API_KEY is not set", "a test Neon database branch remains", runs.ORDERS} <= set(shown.texts)


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("ink", "page"), ("soft", "page"), ("soft", "card"), ("ink", "card"), ("on-all", "all"), ("on-writes", "writes"),
        ("page", "good"), ("on-step", "step"), ("on-step", "step-2"), ("all-ink", "page"), ("writes-ink", "page"),
        *((f"{name}-ink", f"{name}-tint") for name in ("all", "writes", "nothing", "good", "work", "lost")),
    ],
)  # fmt: skip
def test_text_can_be_read_on_its_ground(scheme: int, ink: str, ground: str) -> None:
    blocks = STYLE.split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme].split("* {")[0]))
    lighter, darker = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
