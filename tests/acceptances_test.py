"""Acceptance comments as they stand in files: what they say, and for which lines."""

from __future__ import annotations

import pytest

from neon_hooks.acceptances import read

COMMENT = "neon-hooks: accept breaking-drop because it is unused"


def ranges(path: str, text: str) -> list[tuple[int, int]]:
    found = read(path, text)
    assert all((each.rule, each.reason, each.problem) == ("breaking-drop", "it is unused", "") for each in found)
    return [(each.first, each.last) for each in found]


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("m/1.sql", f"select 1;\n-- {COMMENT}\nalter table t\n  drop column a;\nselect 2;", (3, 4)),
        ("m/1.sql", f"/* {COMMENT} */\nalter table t\n  drop column a;", (2, 3)),
        ("m/1.sql", f"alter table t\n  drop column a; -- {COMMENT}\nselect 2;", (1, 2)),
        ("m/1.sql", f"alter table t -- {COMMENT}\n  drop column a;\nselect 2;", (1, 2)),
        ("m/1.sql", f"-- {COMMENT}\n-- and why not\nselect 2;", (3, 3)),
        ("m/1.sql", f"-- {COMMENT}\r\nalter table t\r\n  drop column a;\r\n", (2, 3)),
        ("m/1.sql", f"-- {COMMENT}\n\nselect 2;", (-1, -1)),
        ("m/1.sql", f"select 1;\n-- {COMMENT}\n", (-1, -1)),
        ("m/1.py", f"def upgrade():\n    # {COMMENT}\n    op.drop_column(\n        't', 'a'\n    )\n    op.x()", (3, 5)),
        ("m/1.py", f"def upgrade():\n    op.drop_column('t', 'a')  # {COMMENT}\n    op.x()", (2, 2)),
        ("m/1.py", f"class M:\n    operations = [\n        # {COMMENT}\n        A(\n            1,\n        ),\n        B(),\n    ]", (4, 6)),
        ("m/1.py", f"def upgrade(:\n    # {COMMENT}\n    op.drop_column('t', 'a')\n", (3, 3)),
        ("m/1.rb", f"def change\n  # {COMMENT}\n  remove_column :t,\n    :a\nend", (3, 3)),
        ("m/1.ts", f"// {COMMENT}\nawait q.query(`\n  drop ${{x}}\n`);\nawait q.x();", (2, 4)),
        ("m/1.js", f"/* {COMMENT} */\nexports.up = (k) => k.drop('a');", (2, 2)),
        ("m/1.xml", f"<a>\n  <!-- {COMMENT} -->\n  <dropColumn tableName='t'/>\n</a>", (3, 3)),
        ("m/1.yaml", f"# {COMMENT}\n- dropColumn: x", (2, 2)),
        ("m/1.php", f"// {COMMENT}\nSchema::drop('t');", (2, 2)),
        ("m/1.go", f"// {COMMENT}\ntx.Exec(\n\t\"drop\",\n)", (2, 4)),
    ],
)
def test_a_comment_speaks_for_the_statement_that_it_is_on_or_above(path: str, text: str, lines: tuple[int, int]) -> None:
    assert ranges(path, text) == [lines]


def test_several_comments_may_stand_above_one_statement() -> None:
    assert ranges("1.sql", f"-- {COMMENT}\n-- {COMMENT}\nselect 1;") == [(3, 3), (3, 3)]


def test_a_whole_file() -> None:
    (found,) = read("1.sql", "select 1;\n-- neon-hooks: accept-file table-rewrite because night")
    assert (found.first, found.last, found.rule, found.reason, found.line) == (0, 0, "table-rewrite", "night", 2)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("accept", "no rule is named"),
        ("accept breaking-drop", "no reason"),
        ("accept breaking-drop because", "no reason"),
        ("accept breaking-drop it is unused", "no reason"),
        ("acept breaking-drop because x", "'acept'"),
        ("ignore breaking-drop", "'ignore'"),
        ("accept-file breaking-drop", "no reason"),
    ],
)
def test_a_comment_that_is_wrong_says_how(words: str, problem: str) -> None:
    (found,) = read("1.sql", f"-- neon-hooks: {words}\nselect 1;")
    assert problem in found.problem


def test_another_languages_comment_is_none() -> None:
    assert read("1.sql", f"# {COMMENT}\nselect 1;") == ()
    assert read("1.json", f"// {COMMENT}") == ()
