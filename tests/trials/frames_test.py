"""Which recorded statement gets the lines that the driver shim knows."""

from __future__ import annotations

from neon_hooks.facts import Statement
from neon_hooks.trials.frames import with_frames


def lines(recorded: list[str], shimmed: dict[str, int] | list[tuple[str, int]]) -> list[int]:
    pairs = shimmed.items() if isinstance(shimmed, dict) else shimmed
    told = [Statement(sql, frames=(("m.py", line),) if line else ()) for sql, line in pairs]
    return [s.frames[0][1] if s.frames else 0 for s in with_frames([Statement(sql) for sql in recorded], told)]


def test_by_text_whatever_the_spaces_and_the_placeholders() -> None:
    recorded = ["SELECT 1", "UPDATE a SET b = $1", "ALTER TABLE x\n  ADD y int"]
    assert lines(recorded, {"UPDATE a SET b = %s": 2, "ALTER TABLE x ADD y int;": 3}) == [0, 2, 3]


def test_the_same_text_twice_by_order() -> None:
    assert lines(["SELECT 1", "SELECT 1"], [("SELECT 1", 4), ("SELECT 1", 5)]) == [4, 5]


def test_parameters_that_the_driver_put_in() -> None:
    recorded = ["UPDATE a SET b = 1", "UPDATE a SET b = 'x' WHERE c = 2", "UPDATE a SET b = 'y' WHERE c = 3"]
    told = [("UPDATE a SET b = %s WHERE c = %s", 7), ("UPDATE a SET b = %s WHERE c = %s", 8)]
    assert lines(recorded, told) == [0, 7, 8]


def test_statements_of_one_text() -> None:
    assert lines(["ALTER TABLE a", "ALTER TABLE b"], {"ALTER TABLE a;\nALTER TABLE b;": 9}) == [9, 9]


def test_a_begin_and_a_commit_of_the_driver_are_not_the_projects() -> None:
    recorded = ["BEGIN", "BEGIN", "ALTER TABLE a", "COMMIT", "INSERT INTO kept", "COMMIT"]
    told = {"BEGIN": 1, "ALTER TABLE a": 2, "COMMIT": 3, "INSERT INTO kept": 0}
    assert lines(recorded, told) == [0, 1, 2, 3, 0, 0]


def test_a_statement_that_was_not_recorded_takes_nothing_from_the_others() -> None:
    assert lines(["ALTER TABLE a", "ALTER TABLE b"], {"ALTER TABLE x": 1, "ALTER TABLE b": 2}) == [0, 2]
