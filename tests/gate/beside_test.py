"""Two pushes that are fine alone: tried together in both orders, and offered to whoever pushes the second one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from neon_hooks.neon.creation import rfc3339
from tests.fix_gate import Pushed, Team
from tests.fix_neon import call, settle
from tests.gate.stories import ALEMBIC, DJANGO, SQL, Story, alembic, django
from tests.gate.stories_native import GOOSE, goose
from tests.gate.stories_node_sql import DRIZZLE, PRISMA, drizzle_beside

X, Y = "origin/feature-x", "feature-y"
Files = Mapping[str, str]
CITY = "ALTER TABLE customers ADD COLUMN city text;\n"
COUNTRY = "ALTER TABLE customers ADD COLUMN country text;\n"


def on_git_branch(team: Team, name: str, files: Files, start: str = "main") -> None:
    """A git branch with one commit, fine alone: pushed by somebody whose hook found nothing."""
    team.clone.git("checkout", "-q", "-B", name, start)
    team.clone.commit(files)
    team.clone.git("push", "-q", "--no-verify", "origin", name)


def validate(team: Team, *argv: str, environ: Mapping[str, str] | None = None) -> tuple[Pushed, list[dict[str, Any]]]:
    """What `neon-hooks validate` says of the checked-out commit; and a document for each order."""
    team.report.unlink(missing_ok=True)
    command = (sys.executable, "-m", "neon_hooks", "validate", *argv, "--format", "json", "--output", str(team.report))
    done = subprocess.run(
        command, cwd=team.clone.path, env=team.environment(environ), capture_output=True, text=True, timeout=240
    )
    text, documents = team.report.read_text() if team.report.exists() else "", []
    while text.strip():
        document, end = json.JSONDecoder().raw_decode(text.strip())
        documents.append(document)
        text = text.strip()[end:]
    return Pushed(done.returncode, done.stdout + done.stderr, documents[0] if documents else {}), documents


@dataclass(frozen=True)
class Pair:
    """``says`` is what is found of the one that comes second: [this push after x, x after this push]."""

    story: Story
    x: Files
    y: Files
    says: tuple[tuple[str, ...], tuple[str, ...]]
    blocks: bool = True


def sql(name: str, text: str, back: str = "SELECT 1;\n") -> Files:
    return {f"migrations/{name}.sql": text, f"migrations/{name}.down.sql": back}


def prisma(name: str, text: str) -> Files:
    return {f"prisma/migrations/{name}/migration.sql": text}


RENAME = "ALTER TABLE customers RENAME COLUMN nickname TO handle;\n"
PAIRS = {
    "alembic-two-heads": Pair(
        ALEMBIC, dict([ALEMBIC.good]),
        {"migrations/versions/d4.py": alembic('op.add_column("customers", sa.Column("city", sa.Text))', "d4")},
        (("2 heads after this push: c3, d4",), ("2 heads after this push: c3, d4",)),
    ),
    "django-conflicting-leaf-nodes": Pair(
        DJANGO, dict([DJANGO.good]),
        {"shop/migrations/0003_city.py": django('migrations.AddField("customer", "city", models.TextField(null=True))')},
        (
            ("2 heads after this push: shop.0003_city, shop.0003_country", "CommandError: Conflicting migrations detected"),
            ("2 heads after this push: shop.0003_city, shop.0003_country", "CommandError: Conflicting migrations detected"),
        ),
    ),
    "prisma-same-column": Pair(
        PRISMA, prisma("20250301000000_country", COUNTRY), prisma("20250302000000_land", COUNTRY),
        (('column "country" of relation "customers" already exists',), ('column "country" of relation "customers" already exists',)),
    ),
    "goose-same-number": Pair(
        GOOSE, {"migrations/00003_country.sql": goose(COUNTRY)}, {"migrations/00003_city.sql": goose(COUNTRY).replace("country", "city")},
        (
            ("the number 3 is also that of migrations/00003_country.sql", "duplicate version 3 detected"),
            ("the number 3 is also that of migrations/00003_city.sql", "duplicate version 3 detected"),
        ),
    ),
    "goose-lower-number-second": Pair(
        GOOSE, {"migrations/00004_country.sql": goose(COUNTRY)}, {"migrations/00003_city.sql": goose(COUNTRY).replace("country", "city")},
        (("the main line is at 4 already, and this migration comes before it", "found 1 missing migrations before current version 4"), ()),
    ),
    "sql-one-renames-what-the-other-alters": Pair(
        SQL, sql("003_handle", RENAME), sql("004_nickname", "ALTER TABLE customers ALTER COLUMN nickname SET DEFAULT '';\n"),
        (('column "nickname" of relation "customers" does not exist',), ()),
    ),
    "sql-two-columns": Pair(SQL, sql("003_country", COUNTRY), sql("004_city", CITY), ((), ()), blocks=False),
    "prisma-two-columns": Pair(
        PRISMA, prisma("20250301000000_country", COUNTRY), prisma("20250302000000_city", CITY), ((), ()), blocks=False
    ),
}  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_both_orders_of_two_pushes(team: Team, pair: Pair) -> None:
    pair.story.start(team)
    on_git_branch(team, "feature-x", pair.x)
    on_git_branch(team, Y, pair.y)
    before = team.clone.git("status", "--porcelain"), team.clone.head, team.clone.git("ls-files", "--stage")
    pushed, (after_x, after_y) = validate(team, "--with", X)
    assert pushed.exit_code == (1 if pair.blocks else 0), pushed.said
    assert (team.clone.git("status", "--porcelain"), team.clone.head, team.clone.git("ls-files", "--stage")) == before
    files = {X: pair.x, Y: pair.y}
    for document, says, (first, then) in zip((after_x, after_y), pair.says, ((X, Y), (Y, X)), strict=True):
        assert [step["git_ref"] for step in document["range"]["after"]] == [first]
        assert document["range"]["git_ref"] == then
        errors = [finding for finding in document["findings"] if finding["severity"] != "note"]
        said = [f"{each['message']}\n{each['quote']}" for each in errors if each["rule"] != "lock-timeout-missing"]
        for words in says:
            assert any(words in each for each in said), "\n".join(said)
        if not says:
            assert not [each for each in errors if each["severity"] == "error"], errors
        paths = [next(path for path in files[each] if ".down." not in path) for each in (first, then)]
        for each in errors:
            assert f", once {first} ({paths[0]}) is deployed before {then} ({paths[1]})" in each["message"]
        assert [step["paths"] for step in document["earlier"]] == [[paths[0]]]
    assert after_x["neon_branch"]["name"] != after_y["neon_branch"]["name"]
    assert after_x["neon_branch"]["deleted"] and after_y["neon_branch"]["deleted"]
    team.assert_main_is_untouched()


def test_what_stands_upon_the_other_passes_after_it_and_is_tried_once(team: Team) -> None:
    ALEMBIC.start(team)
    on_git_branch(team, "feature-x", dict([ALEMBIC.good]))
    on_git_branch(team, Y, dict([ALEMBIC.after_good]), start="feature-x")
    pushed, documents = validate(team, "--with", X)
    assert pushed.passed, pushed.said
    assert [[m["id"] for m in document["migrations"]] for document in documents] == [["d4"]]


def test_what_works_only_after_the_other_is_blocked_because_it_may_be_deployed_first(team: Team) -> None:
    SQL.start(team)
    on_git_branch(team, "feature-x", sql("003_country", COUNTRY))
    on_git_branch(team, Y, sql("004_fill", "UPDATE customers SET country = 'DE' WHERE id = 1;\n"))
    pushed, (after_x, after_y) = validate(team, "--with", X)
    assert pushed.exit_code == 1 and after_x["verdict"] == "pass", pushed.said
    finding = next(each for each in after_y["findings"] if each["severity"] == "error")
    assert (finding["rule"], finding["path"], finding["line"]) == ("fails-when-first", "migrations/004_fill.sql", 1)
    assert finding["message"] == (
        "feature-y (migrations/004_fill.sql) does not run through before origin/feature-x (migrations/003_country.sql):"
        ' column "country" of relation "customers" does not exist (SQLSTATE 42703, undefined_column)'
    )
    assert "this push was not tried after the other one" in pushed.said
    for form in ("markdown", "sarif", "junit", "github"):  # made again from the saved run
        again = subprocess.run(
            (sys.executable, "-m", "neon_hooks", "report", str(team.report), "--format", form, "--html", str(team.home / "run.html")),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "fails-when-first" in again.stdout and "fails-when-first" in (team.home / "run.html").read_text()


def test_what_git_cannot_merge_is_said_with_its_files_and_prose_does_not_count(team: Team) -> None:
    DRIZZLE.start(team)
    city = "drizzle/0002_city.sql"
    on_git_branch(team, "feature-x", {**DRIZZLE.pushing(DRIZZLE.good), "CHANGES.md": "country\n"})
    on_git_branch(team, Y, {city: CITY, **drizzle_beside(city), "CHANGES.md": "city\n"})
    pushed, documents = validate(team, "--with", X)
    (document,) = documents
    assert pushed.exit_code == 1 and document["neon_branch"] is None
    (finding,) = document["findings"]
    assert (finding["rule"], finding["quote"]) == ("merge-conflict", "drizzle/meta/_journal.json")
    assert finding["message"] == f"git cannot merge feature-y with {X}: 1 conflict, so nothing was tried"


def test_conflicts_in_prose_and_a_main_line_that_has_gone_on_are_merged(team: Team) -> None:
    SQL.start(team)
    on_git_branch(team, Y, {**sql("004_city", CITY), "CHANGES.md": "city\n"})
    team.clone.git("checkout", "-q", "main")
    team.deployed(sql("003_zip", "ALTER TABLE customers ADD COLUMN zip text;\n"), "ALTER TABLE customers ADD COLUMN zip text")
    on_git_branch(team, "feature-x", {**sql("005_country", COUNTRY), "CHANGES.md": "country\n"})
    team.clone.git("checkout", "-q", Y)
    pushed, documents = validate(team, "--with", X)
    assert pushed.passed, pushed.said
    brought = [[migration["id"] for migration in document["migrations"]] for document in documents]
    assert brought == [["004_city.sql"], ["005_country.sql"]]


def test_a_ref_without_migrations_is_left_out_and_one_that_is_none_is_refused(team: Team) -> None:
    SQL.start(team)
    on_git_branch(team, "feature-x", {"app.py": "print()\n"})
    on_git_branch(team, Y, sql("004_city", CITY))
    pushed, (document,) = validate(team, "--with", X)
    assert pushed.passed and document["range"]["after"] == []
    assert f"neon-hooks: left out, as all their migrations are here or on the main line: {X}\n" in pushed.said
    same, (document,) = validate(team, "--with", Y)
    assert same.passed and document["range"]["after"] == [] and f"main line: {Y}\n" in same.said
    team.clone.git("checkout", "-q", "main")
    nothing, (document,) = validate(team, "--with", f"origin/{Y}")
    assert nothing.passed and document["systems"] == []
    assert "neon-hooks: there is no migration here, so nothing is tried with others\n" in nothing.said
    wrong, _ = validate(team, "--with", "origin/nothing")
    assert wrong.exit_code == 2 and "origin/nothing is not a commit of this repository" in wrong.said


def test_three_pushes_are_deployed_in_the_order_in_which_they_are_named(team: Team) -> None:
    SQL.start(team)
    on_git_branch(team, "feature-x", sql("003_country", COUNTRY))
    on_git_branch(team, "feature-z", sql("005_drop", "ALTER TABLE customers DROP COLUMN nickname;\n"))
    on_git_branch(team, Y, sql("004_city", CITY))
    pushed, documents = validate(team, "--with", X, "--with", "origin/feature-z", environ={"NEON_HOOKS_VERBOSE": "true"})
    orders = [[s["git_ref"] for s in d["range"]["after"]] + [d["range"]["git_ref"]] for d in documents]
    assert orders == [[X, "origin/feature-z", Y], [Y, X, "origin/feature-z"]]
    assert [step["paths"] for step in documents[0]["earlier"]] == [["migrations/003_country.sql"], ["migrations/005_drop.sql"]]
    assert "breaking-drop" in {each["rule"] for each in documents[1]["findings"]}


def test_what_goes_first_is_on_the_further_test_neon_branches_too_where_the_second_is_interrupted(team: Team) -> None:
    SQL.start(team)
    on_git_branch(team, "feature-x", sql("003_country", COUNTRY))
    twice = "ALTER TABLE customers ADD COLUMN IF NOT EXISTS city text;\nUPDATE customers SET country = 'DE' WHERE id = 1;\n"
    on_git_branch(team, Y, sql("004_city", twice), start="feature-x")
    pushed, (document,) = validate(team, "--with", X, environ={"NEON_HOOKS_TRIALS_RERUN": "true"})
    rerun = document["systems"][0]["facts"]["rerun"]
    assert [(cut["path"], cut["run"] and cut["run"]["exit_code"], cut["problem"], cut["diff"]) for cut in rerun["cuts"]] == [
        ("migrations/004_city.sql", 0, "", "")
    ]
    assert pushed.passed, pushed.said
    team.assert_main_is_untouched()


def test_embedded_postgres_stands_where_the_main_line_is_before_either(team: Team) -> None:
    SQL.start(team)
    on_git_branch(team, "feature-x", sql("003_handle", RENAME))
    on_git_branch(team, Y, sql("004_nickname", "ALTER TABLE customers ALTER COLUMN nickname SET DEFAULT '';\n"))
    pushed, (after_x, after_y) = validate(team, "--with", X, environ={"NEON_API_HOST": "local"})
    assert pushed.exit_code == 1 and (after_x["verdict"], after_y["verdict"]) == ("block", "pass"), pushed.said
    assert after_x["earlier"][0]["paths"] == ["migrations/003_handle.sql"]


OFFER = f"{X} brings migrations/003_country.sql, too; to try both: neon-hooks validate --with {X}"


def test_a_push_is_offered_to_be_tried_with_another_git_branch(team: Team) -> None:
    SQL.start(team)
    on_git_branch(team, "feature-x", sql("003_country", COUNTRY))
    on_git_branch(team, "feature-code", {"app.py": "print()\n"})
    team.clone.git("checkout", "-q", "-B", Y, "main")
    pushed = team.push(sql("004_city", CITY), f"HEAD:{Y}")
    assert pushed.passed and f"note: {OFFER} [another-push]" in pushed.said, pushed.said
    (note,) = (each for each in pushed.document["findings"] if each["rule"] == "another-push")
    assert (note["severity"], note["message"], note["command"]) == ("note", OFFER, f"neon-hooks validate --with {X}")
    assert 0 < pushed.document["timings"]["other pushes"] < 2000
    tried, _ = validate(team, *note["command"].split()[2:])
    assert tried.passed, tried.said
    off = team.push(sql("005_more", "SELECT 1;\n"), f"HEAD:{Y}", environ={"NEON_HOOKS_TRIALS_OFFERS": "false"})
    assert off.passed and off.document["others"] == [] and "another-push" not in off.said
    # Neither an older state of what is pushed, nor what the main line has by now, is somebody else's.
    team.clone.git("mv", "migrations/005_more.sql", "migrations/005_renamed.sql")
    team.clone.commit({}, amend=True)
    again = team.push(None, "--force", f"HEAD:{Y}")
    assert again.passed and [other["git_ref"] for other in again.document["others"]] == [X]
    team.clone.git("checkout", "-q", "main")
    team.deployed(sql("003_country", COUNTRY))
    team.clone.git("checkout", "-q", "-B", "feature-w", "main")
    offered = [f["command"] for f in team.push(sql("006_w", "SELECT 1;\n"), "HEAD:feature-w").document["findings"]]
    assert list(filter(None, offered)) == [f"neon-hooks validate --with origin/{Y}"]


def test_what_somebody_tries_just_now_is_offered_with_the_fetch_that_it_needs(team: Team) -> None:
    SQL.start(team)
    main = next(each for each in team.emulator.neon_branches() if each["default"])
    annotation = {"tool": "neon-hooks", "neon-hooks-run": "1" * 16, "neon-hooks-git-branch": "feature-x",
                  "neon-hooks-git-sha": "0123456789" * 4}  # fmt: skip
    name = "neon-hooks/feature-x/01234567-11111111"
    order = {"branch": {"name": name, "parent_id": main["id"], "expires_at": rfc3339(datetime.now(timezone.utc) + timedelta(hours=4))}}
    call(team.emulator, "POST", "/branches", {**order, "annotation_value": annotation})
    # Neither what runs by hand are called after, nor the main line, nor what is pushed here, is somebody's git branch.
    for other in ("HEAD", "main", Y, "origin/feature-x", "0123456789abcdef"):
        more = {**annotation, "neon-hooks-git-branch": other}
        call(team.emulator, "POST", "/branches", {"branch": {**order["branch"], "name": f"{name}/{other}"}, "annotation_value": more})
    settle(team.emulator)
    team.clone.git("checkout", "-q", "-B", Y)
    pushed = team.push(sql("004_city", CITY), f"HEAD:{Y}", environ={"NEON_HOOKS_VERBOSE": "true"})
    assert [each["git_ref"] for each in pushed.document["others"]] == [X]
    assert f"{X} is tried just now on {name}; to try both: git fetch origin && neon-hooks validate --with {X}" in pushed.said
