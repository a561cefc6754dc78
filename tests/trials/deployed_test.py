"""Which texts can be prepared, in whatever way their placeholders are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.facts import Catalogue
from neon_hooks.queries import Known, Query
from neon_hooks.trials.deployed import habits
from neon_hooks.trials.place import Place
from tests.fix_systems import query

TABLE = "create table t (id int, body jsonb, at timestamptz)"
CAN_BE = {
    "select id from t where id = $1": {"$1": "integer", "id": "integer"},
    "select body ? 'key' as has from t": {"has": "boolean"},
    "select id from t where id = ? and body ?? ?": {"$1": "integer", "$2": "text", "id": "integer"},
    "select at from t where id in (:first, :second) and at > now() - interval :age": {
        "$1": "integer", "$2": "integer", "$3": "interval", "at": "timestamp with time zone",
    },
    "update t set body = %s where id = %(id)s": {"$1": "jsonb", "$2": "integer"},
    "select json_build_object($1, $2, 'id', id) as o from t where $1 is not null": {"$1": "text", "$2": "text", "o": "json"},
    "declare c cursor for select id from t where id = @wanted": {"$1": "integer"},
}  # fmt: skip
CANNOT_BE = {
    "select nothing from t": "42703",
    "select id from temporary_one": "42P01",
    "select {{ columns }} from t": "42601",
    "select id from t where at = 5": "42883",
}


def prepared(database: Dsn, sql: str) -> tuple[list[dict[str, str]], list[str]]:
    query(database, TABLE)
    place = Place(Path(), database, Deadline.after(60))
    with habits(place, Known((Query(sql, "q.sql", 1),)), Catalogue()) as old:
        return [dict(each.types) for each in old.ready], [each.error.sqlstate for each in old.so_far.unprepared]


@pytest.mark.parametrize(("sql", "types"), CAN_BE.items(), ids=CAN_BE)
def test_what_can_be_prepared_says_what_it_takes_and_returns(database: Dsn, sql: str, types: dict[str, str]) -> None:
    assert prepared(database, sql) == ([types], [])


@pytest.mark.parametrize(("sql", "sqlstate"), CANNOT_BE.items(), ids=CANNOT_BE)
def test_what_cannot_be_prepared_is_told_with_the_reason(database: Dsn, sql: str, sqlstate: str) -> None:
    assert prepared(database, sql) == ([], [sqlstate])
