"""Statements read by their tokens."""

from __future__ import annotations

import pytest

from neon_hooks.sqlreader import Reader, home, items, last, parts


def test_keywords_and_names_are_taken_in_order() -> None:
    reader = Reader('ALTER  TABLE /* all */ ONLY "public"."Odd ""Name""" -- x\n ADD CONSTRAINT c CHECK ((a > 0)) NOT VALID')
    assert reader.takes("alter table") and not reader.takes("if exists") and reader.takes("only")
    assert reader.name() == ("public", 'Odd "Name"')
    assert reader.takes("add constraint") and reader.part() == "c"
    assert reader.takes("check") and reader.group() == "((a > 0))"
    assert not reader.ended and reader.rest == "NOT VALID"
    assert reader.ends_with("not valid") and not reader.ends_with("valid not")


@pytest.mark.parametrize("text", ["check (a = 'not valid')", "check (a) is \"not\" \"valid\"", "check (a = $$not valid$$", "valid"])
def test_words_in_quotes_do_not_end_a_statement(text: str) -> None:
    assert not Reader(text).ends_with("not valid")


def test_what_is_in_strings_is_no_name() -> None:
    assert Reader("COMMENT ON INDEX \"I\".J IS 'k' || $$l$$ /* m */ -- n").identifiers() == {"comment", "on", "index", "I", "j", "is"}


@pytest.mark.parametrize(
    ("text", "group"), [("(a, (b)) c", "(a, (b))"), ("a (b)", ""), ("", ""), ("(')', \")\")", "(')', \")\")"), ("(a", "")]
)
def test_a_group_ends_where_its_parenthesis_does(text: str, group: str) -> None:
    assert Reader(text).group() == group


@pytest.mark.parametrize(
    ("text", "found"),
    [("", []), ("a int", ["a int"]), ("a int, b numeric(4,2)", ["a int", "b numeric(4,2)"]), ('"a,b" text, c text', ['"a,b" text', "c text"])],
)
def test_a_list_is_split_at_its_own_commas(text: str, found: list[str]) -> None:
    assert items(text) == found


def test_the_parts_of_a_name_with_dots_in_quotes() -> None:
    name = 'public."Odd.Name"."a ""b"""'
    assert parts(name) == ("public", "Odd.Name", 'a "b"')
    assert home(name) == 'public."Odd.Name"'
    assert last(name) == '"a ""b"""'
