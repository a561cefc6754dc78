"""Answers: every form of Retry-After, bodies that are not JSON, texts that are not fit for a terminal."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from neon_hooks.neon import answers

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "value, seconds",
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 11:59:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("٣", None),
        ("Sat, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert answers.retry_after(value, NOW) == seconds


def test_a_retry_after_date_is_measured_by_the_servers_clock():
    headers = {"date": "Sat, 21 Nov 2026 12:00:00 GMT", "retry-after": "Sat, 21 Nov 2026 12:00:05 GMT"}
    assert answers.read(429, headers, "").retry_after == 5.0


def test_an_error_body_gives_code_message_and_request_id():
    answer = answers.read(409, {}, '{"request_id": "r-1", "code": "X", "message": "no", "new": 1}')
    assert (answer.code, answer.message, answer.request_id) == ("X", "no", "r-1")
    assert answer.reason == "409 X no, request id r-1"


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"code": 7, "message": {"a": 1}}', "[" * 100_000])
def test_an_odd_body_is_no_reason_to_fail(text):
    answer = answers.read(500, {}, text)
    assert (answer.code, answer.message) == ("", "")


def test_a_page_of_html_is_told_by_its_title():
    page = "<!DOCTYPE html><html><head><title>neon.tech | 524:\n A timeout occurred</title></head></html>"
    assert answers.read(524, {}, page).reason == "524 neon.tech | 524: A timeout occurred"


def test_text_from_outside_is_one_short_line_without_control_characters_or_passwords():
    line = answers.one_line("a\x1b[31m\r\nb postgresql://me:s3cret@host/db " + "x" * 1000)
    assert "\x1b" not in line and "\n" not in line and "s3cret" not in line
    assert len(line) < 320


def test_the_body_is_not_part_of_repr():
    assert "s3cret" not in repr(answers.read(200, {}, '{"uri": "postgresql://me:s3cret@h/d"}'))
