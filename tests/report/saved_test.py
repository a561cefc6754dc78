"""A saved run has all that the reports need, and a file that is something else is said to be so."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from neon_hooks.errors import UsageError
from neon_hooks.facts import Catalogue
from neon_hooks.outcome import Outcome
from neon_hooks.report import as_json, html, saved
from neon_hooks.report.publish import FORMATS
from tests.report import runs


def read(*outcomes: Outcome) -> tuple[Outcome, ...]:
    return saved.read(as_json.render(outcomes), "RUN.json")


@pytest.mark.parametrize("run", runs.RUNS.values(), ids=runs.RUNS)
def test_what_is_read_back_is_written_in_the_same_way(run: Callable[[], Outcome]) -> None:
    (again,) = read(run())
    assert as_json.render((again,)) == as_json.render((run(),))
    assert again.verdict == run().verdict


def test_all_facts_come_back_but_tables_that_nothing_touched() -> None:
    before, (after,) = runs.shop(), read(runs.shop())
    (unit,) = before.facts.units
    touched = Catalogue({oid: table for oid, table in runs.tables().tables.items() if table.name == "public.orders"})
    unit = replace(unit, before=touched, after=touched)
    assert after == replace(before, facts=replace(before.facts, units=(unit,)))


def test_statements_of_the_tool_itself_come_back_to_their_places() -> None:
    (after,) = read(runs.shop())
    first = after.facts.units[0].first
    assert first and first.statements == runs.shop().facts.units[0].first.statements  # type: ignore[union-attr]
    assert first.statements[0].sql.startswith("SELECT version_num")


def test_several_runs_in_one_file_come_back_in_order() -> None:
    assert [run.verdict for run in read(runs.shop(), runs.nothing(), runs.unknown())] == ["block", "pass", "unknown"]


def test_nothing_of_the_projects_configuration_is_saved() -> None:
    outcome = runs.shop()
    (unit,) = outcome.facts.units
    work = replace(unit.work, unit=replace(unit.work.unit, options={"url": "postgresql://me:secret@db/x"}))
    assert "secret" not in as_json.render((replace(outcome, facts=replace(outcome.facts, units=(replace(unit, work=work),))),))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"version": "2.1.0", "runs": []}', "not JSON", "[" * 100_000, '{"format": 1}'])
def test_a_foreign_file_is_no_saved_run(tmp_path: Path, text: str) -> None:
    file = tmp_path / "RUN.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="not a saved run of neon-hooks") as error:
        saved.load(file)
    assert str(file) in error.value.message and "validate --format json --output RUN.json" in error.value.fix


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe{}")
    for file, said in ((tmp_path / "none", "No such file"), (tmp_path, "directory"), (tmp_path / "x", "UTF-8")):
        with pytest.raises(UsageError, match=said) as error:
            saved.load(file)
        assert str(file) in error.value.message and error.value.fix


def test_a_format_of_another_version_is_refused() -> None:
    with pytest.raises(UsageError, match="its `format` is 2, and this neon-hooks reads 1") as error:
        saved.read('{"format": 2, "verdict": "pass"}', "RUN.json")
    assert "version of neon-hooks that wrote it" in error.value.fix


def document() -> dict[str, Any]:
    return as_json.document(runs.shop())


def spoilt(change: Callable[[dict[str, Any]], Any]) -> str:
    told = document()
    change(told)
    with pytest.raises(UsageError) as error:
        saved.read(json.dumps(told), "RUN.json")
    assert error.value.fix
    return error.value.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.pop("systems"), "`systems` is missing"),
        (lambda d: d["systems"][0].pop("pushed"), "`systems[0].pushed` is missing"),
        (lambda d: d["systems"].append(7), "`systems[1]` must be an object"),
        (lambda d: d["migrations"][1].update(unit=4), "`migrations[1].unit` must be the place of a system"),
        (lambda d: d["migrations"][0]["statements"][2].update(ms="long"), "`migrations[0].statements[2].ms` must be a number"),
        (lambda d: d["migrations"][0]["statements"][2].update(ms=True), "`migrations[0].statements[2].ms` must be a number"),
        (lambda d: d["migrations"][0]["statements"][2].update(ms=float("nan")), "`migrations[0].statements[2].ms` must be a number that can"),
        (lambda d: d["timings"].update(apply=float("inf")), "`timings.apply` must be a number that can be measured"),
        (lambda d: d["migrations"][0]["statements"][2].update(rows=10**30), "`migrations[0].statements[2].rows` must be a whole number that can"),
        (lambda d: d["migrations"][0]["statements"][1]["locks"][0].pop("mode"), "`migrations[0].statements[1].locks[0].mode` is missing"),
        (lambda d: d["findings"][0].update(severity="fatal"), "`findings[0].severity` must be one of error, warning, note"),
        (lambda d: d["systems"][0]["before"].update(x={}), "`systems[0].before` must have numbers as its keys"),
        (lambda d: d.update(range=None), "`range` must be an object"),
        (lambda d: d.update(range={"base": None}), "`range.target` is missing"),
        (lambda d: d["systems"][0]["runs"][0].update(evidence="all"), "`systems[0].runs.evidence` must be one of"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(change: Callable[[dict[str, Any]], Any], said: str) -> None:
    assert said in spoilt(change)


def test_a_run_of_an_earlier_version_lacks_what_is_needed_and_says_so() -> None:
    def older(told: dict[str, Any]) -> None:
        for system in told["systems"]:
            del system["facts"]

    assert "another version of neon-hooks has written it" in spoilt(older)


def test_what_a_later_version_adds_is_left_alone() -> None:
    told = document()
    told["news"] = told["findings"][0]["news"] = 1
    assert as_json.document(saved.read(json.dumps(told), "RUN.json")[0]) == document()


VALUES = (None, True, 0, -1, -5.5, 1e18, "", "x", [], {}, [1], {"a": 1}, "public.orders", "AccessExclusiveLock")


def places(told: Any) -> list[tuple[Any, Any]]:
    """Every container in a document with each of its keys."""
    keys = list(told) if isinstance(told, dict) else range(len(told)) if isinstance(told, list) else ()
    return [(told, key) for key in keys] + [place for key in keys for place in places(told[key])]


@pytest.mark.parametrize("seed", range(40))
def test_a_file_that_is_spoilt_anywhere_is_refused_or_can_be_shown(seed: int) -> None:
    chance = random.Random(seed)
    told = as_json.document(chance.choice([runs.shop, runs.refused, runs.unknown, runs.nothing])())
    for _ in range(chance.choice((1, 1, 3))):
        container, key = chance.choice(places(told))
        if chance.random() < 0.3:
            del container[key]
        else:
            container[key] = copy.deepcopy(chance.choice(VALUES))
    try:
        outcomes = saved.read(json.dumps(told), "RUN.json")
    except UsageError as error:
        assert error.message.startswith("RUN.json: ") and error.fix
        return
    html.render(outcomes)
    for render in FORMATS.values():
        render(outcomes)
