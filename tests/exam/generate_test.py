"""A dozen pairs of the corpus, as `make exam-schema` examines all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.exam.candidates import Generate
from tests.exam.judge import RIGHT, Judgement, Verdict, judge
from tests.exam.pairs import Pair, corpus
from tests.exam.postgres import Server

PAIRS = {pair.name: pair for pair in corpus()}
DONE = (
    "applications/shop_gains_vouchers",
    "columns/not_null_named",
    "columns/renamed_with_hint",
    "constraints/check_not_valid",
    "constraints/words_in_strings",
    "functions/on_table_type",
    "grants/on_columns",
    "indexes/names_that_need_quotes",
    "order/function_table_view_trigger",
    "partitions/keys_on_parent",
    "policies/enabled_and_forced",
    "tables/nothing_changes",
    "types/domain_with_everything_changed",
    "types/enum_value_in_the_middle",
    "views/materialized_changed_keeps_indexes",
)
REFUSED = ("columns/numeric_rounded", "columns/renamed_without_hint", "foreign_keys/violated")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as started:
        yield started


def judged(server: Server, pair: Pair) -> Judgement:
    if pair.version > server.major:
        pytest.skip(f"needs Postgres {pair.version}")
    wanted = server.database(pair.after)
    try:
        return judge(pair, Generate(), server, wanted, again=pair.reachable)
    finally:
        server.drop(wanted)


@pytest.mark.parametrize("name", DONE)
def test_the_result_is_the_desired_schema_and_asking_again_writes_nothing(server: Server, name: str) -> None:
    """And the rows of columns that it does not touch are what they were, by checksum."""
    judgement = judged(server, PAIRS[name])
    assert judgement.verdict in RIGHT, judgement
    assert judgement.same_rows or not PAIRS[name].data


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_migration_can_do_is_refused_by_name(server: Server, name: str) -> None:
    judgement = judged(server, PAIRS[name])
    assert judgement.verdict == Verdict.REFUSED, judgement
