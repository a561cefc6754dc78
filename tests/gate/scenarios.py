"""What every migration system must do, told once: real pushes, with the project's own tool.

A family's test module is three lines: its stories, `each`, and a test that calls the scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace

import pytest

from neon_hooks.database.connect import connect
from neon_hooks.database.inspect import bookkeeping_rows
from neon_hooks.database.replay import replay
from neon_hooks.settings import Settings
from neon_hooks.systems import by_name, detect
from tests.fix_gate import Team
from tests.fix_systems import tree_of
from tests.gate.stories import Story, deploy

Scenario = Callable[[Team, Story], None]


def a_good_migration_goes_through_in_silence_and_main_does_not_have_it(team: Team, story: Story) -> None:
    story.start(team)
    pushed = team.push(story.pushing(story.good))
    assert pushed.passed, pushed.said
    assert "Neon" not in pushed.said
    (migration,) = pushed.document["migrations"]
    assert (migration["id"], migration["path"], migration["applied"]) == (story.good_id, story.good[0], True)
    if story.shim:
        assert any("country" in statement["sql"] for statement in migration["statements"])
    assert f"+column public.{story.table}.country text" in pushed.document["schema_diff"]
    assert pushed.document["systems"][0]["system"] == story.system
    assert team.query("select from information_schema.columns where column_name = 'country'") == []
    team.assert_main_is_untouched()


def a_second_run_has_nothing_left_to_do(team: Team, story: Story) -> None:
    story.start(team)
    pushed = team.push(story.pushing(story.good))
    first, again = pushed.document["systems"][0]["runs"]
    assert (first["exit_code"], first["changed"]) == (0, True)
    assert (again["exit_code"], again["changed"]) == (0, False)


def a_migration_that_fails_on_the_rows_is_blocked_with_file_statement_and_postgres_words(
    team: Team, story: Story
) -> None:
    story.start(team)
    pushed = team.push(story.pushing(story.bad))
    assert pushed.exit_code == 1
    (finding,) = pushed.errors
    assert (finding["rule"], finding["path"]) == ("migration-fails", story.bad[0])
    assert story.bad[0] + ":" in pushed.said and "  fix: " in pushed.said
    if story.shim:
        assert finding["evidence"]["sqlstate"] == "23505"
        assert "Key (email)=" in finding["evidence"]["detail"]
        assert "UNIQUE" in finding["evidence"]["statement"].upper()
        assert finding["line"] == story.bad_line, finding
        assert "SQLSTATE 23505 (unique_violation)" in pushed.said
        assert "DETAIL: Key (email)=" in pushed.said
    else:
        assert "could not create unique index" in pushed.said
    (migration,) = pushed.document["migrations"]
    assert migration["applied"] is False
    team.assert_main_is_untouched()


def the_same_migration_passes_where_there_are_no_rows(team: Team, story: Story) -> None:
    story.start(team)
    team.query(f"delete from {story.table}")
    pushed = team.push(story.pushing(story.bad))
    assert pushed.passed, pushed.said


def a_hard_coded_production_database_stays_untouched(team: Team, story: Story) -> None:
    story.start(team)
    with closing(connect(team.emulator.main)) as connection:
        connection.execute("create database decoy")
    decoy = replace(team.emulator.main, database="decoy")
    assert story.hard_coded
    hard_coded = story.hard_coded(decoy)
    pushed = team.push({**hard_coded, **story.pushing(story.good)}, environ={"NEON_HOOKS_DATABASE": "neondb"})
    assert pushed.passed, pushed.said
    assert pushed.document["migrations"][-1]["applied"]
    with closing(connect(decoy)) as connection:
        assert connection.execute("select from pg_tables where schemaname = 'public'").fetchall() == []


def a_tool_that_ends_without_error_and_without_work_is_blocked(team: Team, story: Story) -> None:
    story.start(team)
    pushed = team.push({**story.idle, **story.pushing(story.good)})
    assert pushed.exit_code == 1, pushed.said
    assert "not-on-test-branch" in pushed.rules
    assert "did not touch the test Neon database branch; it may have migrated another database" in pushed.said


def what_is_pending_on_main_is_applied_first_and_only_what_is_pushed_is_required(
    team: Team, story: Story
) -> None:
    story.start(team)
    team.deployed(story.pushing(story.good))  # on the main line, not yet deployed
    pushed = team.push(story.pushing(story.after_good))
    assert pushed.passed, pushed.said
    (note,) = (each for each in pushed.document["findings"] if each["rule"] == "pending-on-main")
    assert note["evidence"]["ids"] == [story.good_id]
    assert [(m["id"], m["pushed"], m["applied"]) for m in pushed.document["migrations"]] == [
        (story.good_id, False, True),
        (story.after_good_id, True, True),
    ]


def a_migration_that_main_has_applied_from_another_file_is_told(team: Team, story: Story) -> None:
    story.start(team)
    path = story.old_sql
    team.deployed({path: (team.clone.path / path).read_text() + "-- How did this get here?\n"})
    pushed = team.push(story.pushing(story.good))
    (finding,) = (each for each in pushed.document["findings"] if each["rule"] == "checksum-mismatch")
    assert (finding["path"], finding["severity"]) == (path, "warning")
    assert pushed.passed is not story.refuses, pushed.said


def the_way_back_of_all_that_is_pushed_leads_back_and_forth_again(team: Team, story: Story) -> None:
    story.start(team)
    more = story.pushing(story.after_good) if story.after_good_id else {}
    pushed = team.push({**story.pushing(story.good), **more}, environ={"NEON_HOOKS_TRIALS_DOWN_AND_UP": "true"})
    assert pushed.passed and not {"missing-down", "not-reversible"}.intersection(pushed.rules), pushed.said
    trial = pushed.document["systems"][0]["facts"]["down_and_up"]
    assert (trial["down"]["exit_code"], trial["diff"], trial["up"]["exit_code"]) == (0, "", 0)
    assert pushed.document["timings"]["down and up"] > 0
    team.assert_main_is_untouched()


def where_the_tool_is_missing_its_sql_is_replayed(team: Team, story: Story) -> None:
    story.start(team)
    story.uninstall(team)
    pushed = team.push(story.pushing(story.good))
    assert pushed.passed, pushed.said
    assert pushed.rules == ["replayed"]
    assert [(m["id"], m["applied"]) for m in pushed.document["migrations"]] == [(story.good_id, True)]
    assert f"+column public.{story.table}.country text" in pushed.document["schema_diff"]
    runs = pushed.document["systems"][0]["runs"]
    assert [(run["replayed"], run["exit_code"], run["changed"]) for run in runs] == [(True, 0, True), (True, 0, False)]
    team.assert_main_is_untouched()


def a_replayed_migration_that_fails_is_shown_with_its_line(team: Team, story: Story) -> None:
    story.start(team)
    story.uninstall(team)
    path, _ = story.bad
    pushed = team.push(story.pushing(story.bad))
    assert pushed.exit_code == 1
    finding = next(each for each in pushed.document["findings"] if each["rule"] == "migration-fails")
    statement = finding["evidence"]["statement"]
    assert (finding["path"], finding["evidence"]["sqlstate"]) == (path, "23505")
    assert "Key (email)=" in finding["evidence"]["detail"]
    assert finding["line"] == 1 + dict([story.bad])[path].partition(statement)[0].count("\n")


def the_tool_takes_a_replayed_migration_for_its_own(team: Team, story: Story) -> None:
    story.start(team)
    team.deployed(story.pushing(story.good))
    tree = tree_of(team.clone.path)
    (unit,) = detect(tree, Settings())
    system = by_name(unit.system)
    assert system.replay and system.bookkeeping
    (migration,) = (each for each in system.history(unit, tree) if each.id == story.good_id)
    (run,) = replay(team.emulator.main, system.replay(unit, tree, [migration]))
    assert run.error is None
    table = system.bookkeeping(unit)
    with closing(connect(team.emulator.main)) as connection:
        rows = bookkeeping_rows(connection, table)
    deploy(story, team, team.emulator.main)
    with closing(connect(team.emulator.main)) as connection:
        assert bookkeeping_rows(connection, table) == rows


def _is_replayed(story: Story) -> bool:
    return by_name(story.system).replay is not None and story.good[0].endswith(".sql")


def _can_be_missing(story: Story) -> bool:
    return _is_replayed(story) and story.deploy[0] != "mvn"  # it comes with the machine, not with the project


# A scenario, and what a story must have for it.
SCENARIOS: tuple[tuple[Scenario, Callable[[Story], object]], ...] = (
    (a_good_migration_goes_through_in_silence_and_main_does_not_have_it, lambda story: True),
    (a_migration_that_fails_on_the_rows_is_blocked_with_file_statement_and_postgres_words, lambda story: True),
    (the_same_migration_passes_where_there_are_no_rows, lambda story: True),
    (a_second_run_has_nothing_left_to_do, lambda story: story.records),
    (a_hard_coded_production_database_stays_untouched, lambda story: story.hard_coded),
    (a_tool_that_ends_without_error_and_without_work_is_blocked, lambda story: story.idle),
    (what_is_pending_on_main_is_applied_first_and_only_what_is_pushed_is_required, lambda story: story.after_good_id),
    (a_migration_that_main_has_applied_from_another_file_is_told, lambda story: story.old_sql),
    (the_way_back_of_all_that_is_pushed_leads_back_and_forth_again, lambda story: by_name(story.system).down),
    (where_the_tool_is_missing_its_sql_is_replayed, _can_be_missing),
    (a_replayed_migration_that_fails_is_shown_with_its_line, _can_be_missing),
    (the_tool_takes_a_replayed_migration_for_its_own, _is_replayed),
)


def each(stories: Iterable[Story]) -> pytest.MarkDecorator:
    """Every scenario for every story that can play it: parametrises ``story`` and ``scenario``."""
    return pytest.mark.parametrize(
        ("story", "scenario"),
        [
            pytest.param(story, scenario, id=f"{story.project}-{scenario.__name__}")
            for story in stories
            for scenario, possible in SCENARIOS
            if possible(story)
        ],
    )
