"""The examples of the catalogue through real tools: the same finding, at the migration, on its line."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from neon_hooks.acceptances import read
from neon_hooks.changes import Range
from neon_hooks.checks import CATALOGUE, judge
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator
from neon_hooks.facts import Evidence, Facts, UnitFacts
from neon_hooks.findings import Finding, Rule
from neon_hooks.run import execute
from neon_hooks.systems import by_name
from neon_hooks.systems.base import kept
from neon_hooks.trials.apply import apply
from neon_hooks.trials.deployed import deployed, habits
from neon_hooks.trials.place import Place, look
from neon_hooks.tree import Tree
from tests.checks.catalogue_test import BEFORE, EXAMPLES, LIMITS, ROWS, SHOP
from tests.checks.watching import OLD_CODE
from tests.checks.written_for import OPERATIONS, TOOLS, Tool, Written, in_a_do_block, operation, written, written_in_one
from tests.fix_systems import PROJECTS, Project, python_environment, query, tree_of
from tests.fix_tools import node_modules

RANGE = Range("b" * 40, "t" * 40, "main line")
NUMBERS = itertools.count(1)
EACH_TOOL = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
ATTEMPTS = 4  # on a busy machine the recorder's sampler may come late, and says so


@pytest.fixture(scope="module")
def server() -> Iterator[Dsn]:
    with Emulator() as emulator:
        query(emulator.main, "create database shop")
        query(replace(emulator.main, database="shop"), SHOP.read_text().replace(":rows", str(ROWS)))
        yield emulator.main


@dataclass
class Team:
    """One tool's project, and a database in which it was deployed."""

    tool: Tool
    project: Project
    deployed: Dsn

    def push(self, files: Mapping[str, str], before: str = "") -> UnitFacts:
        """What is known of a push of ``files``, tried on a copy; ``before`` went wrong on it earlier."""
        base = tree_of(self.project.path)
        old = {name: (self.project.path / name).read_text() for name in files if (self.project.path / name).exists()}
        self.project.write(files)
        try:
            facts = self._try(base, before)
            for _ in range(ATTEMPTS - 1):
                if facts.first and facts.first.evidence is Evidence.FULL:
                    break
                facts = self._try(base, before)
            return facts
        finally:
            for path in files:
                (self.project.path / path).unlink()
            self.project.write(old)

    def _try(self, base: Tree, before: str) -> UnitFacts:
        copy = self.copy()
        if before:
            with pytest.raises(psycopg.errors.UniqueViolation):
                query(copy, before)
        work = self.project.work(base)
        system = by_name(work.unit.system)
        deadline = Deadline.after(60)
        place = Place(self.project.path, copy, deadline)
        prepared = self.project.prepare()
        sight = look(place, kept(system, work.unit), tables=True)
        assert sight.catalogue
        with habits(place, OLD_CODE, sight.catalogue) as old:
            facts = apply(
                system, work, place, sight, lambda dsn: execute(prepared, dsn=dsn, deadline=deadline, redact=str)
            )
            return deployed(facts, place, old)

    def copy(self) -> Dsn:
        made = replace(self.deployed, database=f"copy_{next(NUMBERS)}")
        query(replace(self.deployed, database="postgres"), f"create database {made.database} template {self.deployed.database}")
        return made


@pytest.fixture(scope="module")
def teams(server: Dsn, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Tool], Team]:
    """Each with its first migration applied, made when it is asked for."""
    made: dict[str, Team] = {}

    def team(tool: Tool) -> Team:
        if tool.name not in made:
            made[tool.name] = _team(tool, server, tmp_path_factory.mktemp(tool.name))
        return made[tool.name]

    return team


def _team(tool: Tool, server: Dsn, home: Path) -> Team:
    path = home / "shop"
    shutil.copytree(PROJECTS / tool.project, path)
    for directory in {(path / name).parent for name in tool.base}:
        if directory.name in ("versions", "migrations"):
            shutil.rmtree(directory)
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "SECRET_KEY": "x"}
    python = Path()
    if tool.name == "knex":
        (path / "node_modules").symlink_to(node_modules("javascript"))
    else:
        python = python_environment({"alembic": "sqlalchemy"}.get(tool.name, tool.name))
    project = Project(path, python, environ, passthrough=("SECRET_KEY",))
    project.write(tool.base)
    deployed = replace(server, database=f"deployed_{tool.name}")
    query(server, f"create database {deployed.database} template shop")
    run = project.run(deployed)
    assert run.exit_code == 0, run.output
    return Team(tool, project, deployed)


def found(facts: UnitFacts) -> tuple[Finding, ...]:
    return judge(Facts(RANGE, (facts,), limits=LIMITS), {})


def check(rule: Rule, migration: Written, team: Team) -> None:
    """The rule is found, and at its place."""
    facts = team.push({team.tool.path: migration.text}, BEFORE.get(rule.id, ""))
    findings = found(facts)
    mine = [finding for finding in findings if finding.rule == rule.id]
    assert mine, (facts.first, [(finding.rule, finding.message) for finding in findings])
    assert {finding.path for finding in mine} == {team.tool.path}
    assert {finding.line for finding in mine} <= migration.lines, mine


@EACH_TOOL
@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.id)
def test_the_bad_example_is_found_through_a_tool(rule: Rule, tool: Tool, teams: Callable[[Tool], Team]) -> None:
    check(rule, written(rule, tool), teams(tool))


@pytest.mark.parametrize(
    ("id", "tool", "code"), OPERATIONS, ids=[f"{id} {tool.name} {n}" for n, (id, tool, _) in enumerate(OPERATIONS)]
)
def test_it_is_found_where_the_tool_writes_the_sql(
    id: str, tool: Tool, code: str, teams: Callable[[Tool], Team]
) -> None:
    check(CATALOGUE[id], operation(code, tool), teams(tool))


@EACH_TOOL
@pytest.mark.parametrize("id", ["several-tables-locked", "unbatched-delete"])
def test_statements_of_one_text_have_their_own_lines(id: str, tool: Tool, teams: Callable[[Tool], Team]) -> None:
    migration = written_in_one(CATALOGUE[id], tool)
    facts = teams(tool).push({tool.path: migration.text})
    (run,) = facts.migrations
    lines = migration.text.splitlines()
    told = [(s.sql, s.line) for s in run.statements if s.tag in ("ALTER TABLE", "DELETE")]
    assert told and all(sql in lines[line - 1] for sql, line in told)
    assert [line for _, line in told] == sorted(migration.lines)
    assert id in [finding.rule for finding in found(facts)]


@EACH_TOOL
@pytest.mark.parametrize("id", ["unbatched-update", "unbatched-delete"])
def test_rows_that_a_do_block_changes_are_found(id: str, tool: Tool, teams: Callable[[Tool], Team]) -> None:
    check(CATALOGUE[id], in_a_do_block(CATALOGUE[id], tool), teams(tool))


@EACH_TOOL
def test_what_a_tool_asks_and_writes_down_is_not_shown_as_the_migrations(
    tool: Tool, teams: Callable[[Tool], Team]
) -> None:
    migration = written(CATALOGUE["several-tables-locked"], tool)
    facts = teams(tool).push({tool.path: migration.text})
    assert facts.first
    (run,) = facts.migrations
    assert len(facts.first.statements) > len(run.statements) + 3
    assert [s.tag for s in run.statements if s.tag not in ("BEGIN", "COMMIT")] == ["ALTER TABLE", "ALTER TABLE"]


@EACH_TOOL
def test_a_comment_above_the_call_accepts_what_is_found_within_it(tool: Tool, teams: Callable[[Tool], Team]) -> None:
    call = tool.statement("\n  ALTER TABLE customers DROP COLUMN email\n")
    mark = "//" if tool.name == "knex" else "#"
    text = tool.migration(f"{mark} neon-hooks: accept data-dropped because it was a mistake\n{call}", False)
    facts = teams(tool).push({tool.path: text})
    facts = replace(facts, accepted=read(tool.path, text))
    (finding,) = [each for each in found(facts) if each.rule == "data-dropped"]
    assert finding.line == text[: text.index("ALTER TABLE")].count("\n") + 1
    assert finding.accepted == "it was a mistake"
