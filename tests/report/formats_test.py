"""The formats that other programs read, each by the rules of its reader."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from neon_hooks.checks import CATALOGUE
from neon_hooks.cli import REPORT_FORMATS
from neon_hooks.outcome import Outcome
from neon_hooks.report import as_github, as_junit, as_markdown, as_sarif
from neon_hooks.report.publish import FORMATS, TEXT
from neon_hooks.report.wording import plain
from tests.report import runs

EVERY = pytest.mark.parametrize("run", runs.RUNS.values(), ids=runs.RUNS)
# The parts of the SARIF 2.1.0 schema that these documents use, with its requirements for them.
MESSAGE = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "properties": {
                                                "shortDescription": MESSAGE,
                                                "fullDescription": MESSAGE,
                                                "help": MESSAGE,
                                                "defaultConfiguration": {"properties": {"level": LEVEL}},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "invocations": {"items": {"required": ["executionSuccessful"]}},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message"],
                            "properties": {
                                "message": MESSAGE,
                                "level": LEVEL,
                                "ruleIndex": {"type": "integer", "minimum": -1},
                                "suppressions": {
                                    "items": {"properties": {"kind": {"enum": ["inSource", "external"]}}, "required": ["kind"]}
                                },
                                "locations": {
                                    "items": {
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "region": {
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}}
                                                    }
                                                },
                                            }
                                        }
                                    }
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_the_command_line_offers_what_can_be_rendered() -> None:
    assert set(REPORT_FORMATS) == {TEXT, *FORMATS}


@EVERY
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_written_to_a_file_whatever_the_texts_are(run: Callable[[], Outcome], name: str) -> None:
    FORMATS[name]((run(), run())).encode("utf-8", "backslashreplace")
    assert isinstance(FORMATS[name](()), str)


# SARIF


def sarif(*outcomes: Outcome) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(as_sarif.render(outcomes))
    jsonschema.validate(document, SARIF)
    return document


@EVERY
def test_sarif_has_what_its_schema_requires(run: Callable[[], Outcome]) -> None:
    (told,) = sarif(run())["runs"]
    rules = [rule["id"] for rule in told["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in told["results"]] == [result["ruleId"] for result in told["results"]]


def test_sarif_has_levels_lines_and_help() -> None:
    (told,) = sarif(runs.shop())["runs"]
    assert [result["level"] for result in told["results"]] == ["error", "warning", "note"]
    place = told["results"][0]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]) == (runs.ORDERS, {"startLine": 18})
    (refused,) = sarif(runs.refused())["runs"]
    (rule,) = refused["tool"]["driver"]["rules"]
    known = CATALOGUE["migration-fails"]
    assert rule["help"]["text"] == f"{known.condition} {known.effect}\nFix: {known.fix}."
    assert known.bad in rule["help"]["markdown"] and known.good in rule["help"]["markdown"]


def test_sarif_has_what_a_comment_accepts_as_suppressed_with_its_reason() -> None:
    outcome = runs.shop()
    first, *others = outcome.findings
    accepted = replace(outcome, findings=(replace(first, accepted="the table is read at night only"), *others))
    results = sarif(accepted)["runs"][0]["results"]
    assert results[0]["suppressions"] == [{"kind": "inSource", "justification": "the table is read at night only"}]
    assert not any("suppressions" in result for result in results[1:])


def test_sarif_of_a_run_without_an_answer_says_that_it_did_not_succeed() -> None:
    (told,) = sarif(runs.unknown())["runs"]
    (invocation,) = told["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "NEON_API_KEY is not set" in invocation["toolExecutionNotifications"][0]["message"]["text"]
    assert len(sarif(runs.shop(), runs.unknown())["runs"]) == 2


# JUnit


@EVERY
def test_junit_is_xml_whose_counts_are_right(run: Callable[[], Outcome]) -> None:
    suites = ElementTree.fromstring(as_junit.render((run(),)).encode())
    for suite in suites:
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.get("failures") == str(sum(case.find("failure") is not None for case in suite))
        assert suite.get("errors") == str(sum(case.find("error") is not None for case in suite))


def test_junit_has_a_case_for_each_migration() -> None:
    (suite,) = ElementTree.fromstring(as_junit.render((runs.shop(),)).encode())
    first, second = suite
    assert (first.get("name"), second.get("name")) == (runs.ORDERS, runs.USERS)
    failure = first.find("failure")
    assert failure is not None and failure.get("type") == "blocks-writes" and failure.text
    assert f"{runs.ORDERS}:18: writes to orders" in failure.text and "postgresql_concurrently" in failure.text
    assert second.find("failure") is None and "299 870 values" in second.findtext("system-out", "")


def test_junit_of_a_run_without_an_answer_has_errors() -> None:
    (suite,) = ElementTree.fromstring(as_junit.render((runs.unknown(),)).encode())
    error = suite[0].find("error")
    assert error is not None and error.get("message") == "NEON_API_KEY is not set"


def test_junit_keeps_hostile_text_whole() -> None:
    told = ElementTree.fromstring(as_junit.render((runs.hostile(),)).encode())
    assert plain(runs.HOSTILE) in [failure.get("message") for failure in told.iter("failure")]


# GitHub


def commands(outcome: Outcome) -> list[tuple[str, dict[str, str], str]]:
    """As GitHub's runner reads them (actions/runner, ActionCommand.cs)."""
    read = []
    for line in as_github.render((outcome,)).splitlines():
        match = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
        assert match, line
        name, given, text = match.groups()
        properties = dict(one.split("=", 1) for one in given.split(","))
        for escape, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            properties = {key: value.replace(escape, sign) for key, value in properties.items()}
            text = text.replace(escape, sign) if sign not in ":," else text
        read.append((name, properties, text))
    return read


def test_github_gets_one_command_for_each_finding() -> None:
    (error, warning, notice) = commands(runs.shop())
    assert error[:2] == ("error", {"file": runs.ORDERS, "line": "18", "title": "neon-hooks: blocks-writes"})
    assert error[2].startswith("writes to orders (1 204 331 rows)") and "\nfix: with op.get_context()" in error[2]
    assert (warning[0], notice[0]) == ("warning", "notice")


def test_github_hears_of_a_run_without_an_answer() -> None:
    (error, warning) = commands(runs.unknown())
    assert error == ("error", {"title": "neon-hooks could not validate"}, "NEON_API_KEY is not set\nfix: make a key")
    assert warning[2] == "a test Neon database branch remains"


def test_github_takes_no_command_out_of_hostile_text() -> None:
    read = commands(runs.hostile())
    assert len(read) == 3 + 2
    assert all(properties.get("file", plain(runs.HOSTILE)) == plain(runs.HOSTILE) for _, properties, _ in read)
    assert all(plain(runs.HOSTILE) in text for _, _, text in read)


# Markdown


def test_markdown_has_verdict_table_findings_and_folded_statements() -> None:
    lines = as_markdown.render((runs.shop(),)).splitlines()
    assert lines[:2] == ["<!-- neon-hooks -->", "### neon-hooks: :x: blocked"]
    assert f"| `{runs.ORDERS}` | applied | 4.2 s | 4 | 4.2 s `carts` | 4.2 s `carts` |" in lines
    assert f"`blocks-writes` `{runs.ORDERS}:18`" in lines
    assert "<details><summary>Statements of alembic (6)</summary>" in lines
    assert lines.count("</details>") == 2
    assert '    op.create_index("orders_customer_idx", "orders", ["customer_id"], postgresql_concurrently=True)' in lines


@pytest.mark.parametrize("statements", [6000, 24])
def test_markdown_of_any_size_fits_into_a_comment(statements: int) -> None:
    text = as_markdown.render((runs.many(60, statements),) * (1 if statements > 24 else 40))
    assert len(text) < 65_536
    assert text.count("```") % 2 == 0 and text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a_b and _c_", r"a_b and \_c\_"),
        ("*bold* [x](y) <b> `c` | &amp; $x$", r"\*bold\* \[x\](y) \<b\> \`c\` \| \&amp; \$x\$"),
        ("ask @team, see #12 and !7", "ask @\u2060team, see \\#\u206012 and !\u20607"),
        ("me@example.com", "me@example.com"),
        ("see https://neon.com/docs/a_b#c.", "see <https://neon.com/docs/a_b#c>."),
        ("two\nlines", "two lines"),
    ],
)
def test_markdown_text_formats_nothing_and_calls_nobody(text: str, written: str) -> None:
    assert as_markdown.escaped(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [("a|b", r"`a\|b`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("two\nlines", "`two lines`"), ("", "")],
)
def test_markdown_code_cannot_be_left(text: str, written: str) -> None:
    assert as_markdown.code(text) == written


def test_markdown_fences_are_longer_than_what_they_hold() -> None:
    assert as_markdown.fenced("a\n```\nb") == "````\na\n```\nb\n````"
