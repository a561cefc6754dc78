"""sqitch: changes in the order of sqitch.plan, each with a script in deploy/.

Facts: https://sqitch.org/docs/manual/sqitchchanges/ (the plan), sqitch-configuration, sqitch-environment.
A reworked change stands in the plan twice; the earlier one's script has the name of a tag.
"""

from __future__ import annotations

import configparser
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Bookkeeping, Command, Migration, Unit, Work
from neon_hooks.systems.base import History, System, any_line_ends, as_psql_runs_it
from neon_hooks.systems.places import first_file, own, relative, up_from
from neon_hooks.systems.sql import is_not_postgres
from neon_hooks.systems.sqlfiles import quoted, text_literal
from neon_hooks.systems.sqltext import same_sql
from neon_hooks.systems.waysback import beside
from neon_hooks.tree import Tree, join, parent

PLAN = "sqitch.plan"
PROJECT = re.compile(r"^%project\s*=\s*(\S+)", re.MULTILINE)
CHANGE = re.compile(r"^\s*\+?\s*(?P<name>[^\s%#@+-][^\s@\[]*)\s+(?:\[[^\]]*\]\s+)?\d{4}-")
TAG = re.compile(r"^\s*@(?P<name>\S+)\s")
ERROR = re.compile(
    r"psql:[^\n]+?:\d+: ERROR:\s+(?:(?P<sqlstate>\w{5}): )?(?P<message>[^\n]+)"
    r"(?:\nDETAIL:\s+(?P<detail>[^\n]+))?(?:\nHINT:\s+(?P<hint>[^\n]+))?"
)


def detect(tree: Tree) -> Iterable[Unit]:
    """The plans that a sqitch.conf leads to, and every other sqitch.plan that has scripts of its own."""
    configured = list(dict.fromkeys(_configured(tree)))
    claimed = {_unit(tree, plan, "").migrations_dir for plan in configured}
    for plan in dict.fromkeys((*configured, *own(tree.named(PLAN)))):
        unit = _unit(tree, plan, f"{plan} is a plan of sqitch")
        if plan not in configured and unit.migrations_dir in claimed:
            continue
        scripts = [migration.path for migration in history(unit, tree)]
        if unit.options["engine"] in ("", "pg") and scripts and not is_not_postgres(tree, scripts):
            yield unit


def _configured(tree: Tree) -> Iterator[str]:
    for conf in own(tree.named("sqitch.conf")):
        sections = _read(tree.text(conf))
        top_dir = sections.get("core", {}).get("top_dir", "")
        for section in sections.values():
            path = join(parent(conf), section.get("plan_file") or join(section.get("top_dir", top_dir), PLAN))
            if path in tree:
                yield path


def _read(text: str) -> dict[str, dict[str, str]]:
    """The sections of a file in Git's format, with the names ``engine "pg"`` and the like."""
    parser = configparser.ConfigParser(
        interpolation=None, strict=False, allow_no_value=True, inline_comment_prefixes=("#", ";")
    )
    try:
        parser.read_string("\n".join(line.strip() for line in text.splitlines()))
    except configparser.Error:
        return {}
    return {name: {k: v or "" for k, v in parser[name].items()} for name in parser.sections()}


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    plan = first_file(tree, [root, *up_from(migrations_dir)], PLAN) or join(root, PLAN)
    return _unit(tree, plan, "[[systems]] in the settings")


def _unit(tree: Tree, plan: str, evidence: str) -> Unit:
    conf = first_file(tree, up_from(parent(plan)), "sqitch.conf")
    sections = _read(tree.text(conf))
    core = {**sections.get("core", {}), **sections.get('engine "pg"', {})}
    root = parent(conf) if conf else parent(plan)
    top_dir = join(root, core["top_dir"]) if core.get("top_dir") else parent(plan)
    project = PROJECT.search(tree.text(plan))
    return Unit(
        "sqitch", root, join(root, core["deploy_dir"]) if core.get("deploy_dir") else join(top_dir, "deploy"),
        (evidence,),
        {
            "plan": plan, "top_dir": top_dir, "project": project[1] if project else "",
            "engine": sections.get("core", {}).get("engine", ""),
            "registry": core.get("registry") or "sqitch",
            "extension": core.get("extension") or "sql",
            "revert_dir": join(root, core["revert_dir"]) if core.get("revert_dir") else join(top_dir, "revert"),
        },
    )  # fmt: skip


def history(unit: Unit, tree: Tree) -> History:
    """The id is the change's name; of one that was reworked the second is ``name@2``."""
    found: list[tuple[str, str]] = []  # (name, the tag of its script)
    last: dict[str, int] = {}
    tag = ""
    for line in tree.text(unit.options["plan"]).splitlines():
        if match := TAG.match(line):
            tag = match["name"]
        elif match := CHANGE.match(line):
            name = match["name"]
            if name in last:
                found[last[name]] = (name, f"@{tag}")
            last[name] = len(found)
            found.append((name, ""))
    return tuple(_migrations(unit, tree, found))


def _migrations(unit: Unit, tree: Tree, changes: Iterable[tuple[str, str]]) -> Iterator[Migration]:
    seen: dict[str, int] = {}
    for name, tag in changes:
        seen[name] = number = seen.get(name, 0) + 1
        path = join(unit.migrations_dir, f"{name}{tag}.{unit.options['extension']}")
        yield Migration(name if number == 1 else f"{name}@{number}", path, tree.oids.get(path, ""))


def apply(unit: Unit, pushed: History) -> Command:
    """With everything said that a configuration could say otherwise; none but the project's is read.

    ``--mode change``: what ran before a change that fails stays, so that one can see which one failed.
    """
    here = unit.root
    return Command(
        (
            *("sqitch", "deploy", "--verify", "--mode", "change", "--set", "VERBOSITY=verbose"),
            *("--plan-file", relative(unit.options["plan"], here)),
            *("--top-dir", relative(unit.options["top_dir"], here)),
            *("--registry", unit.options["registry"], "--client", "psql", "--target", "{url}"),
        ),
        "native",
        environment={
            "SQITCH_USER_CONFIG": "/dev/null", "SQITCH_SYSTEM_CONFIG": "/dev/null",
            "SQITCH_FULLNAME": "neon-hooks", "SQITCH_EMAIL": "neon-hooks@localhost",
            "SQITCH_USERNAME": "{user}", "SQITCH_PASSWORD": "{password}",
        },
        url_schemes=("db:pg",),
    )  # fmt: skip


def down(work: Work, tree: Tree) -> Command:
    """To the change before the last deployed ones, however they are called."""
    up = apply(work.unit, work.pushed)
    options = up.argv[up.argv.index("--set") :]
    return replace(up, argv=("sqitch", "revert", "-y", "--to", f"@HEAD^{len(work.pushed)}", *options))


def bookkeeping(unit: Unit) -> Bookkeeping:
    """A registry may serve several projects; changes of one name are counted in the order of deployment."""
    project, changes = text_literal(unit.options["project"]), quoted(f"{unit.options['registry']}.changes")
    count = (
        f"(SELECT count(*) FROM {changes} other WHERE other.project = entry.project"
        " AND other.change = entry.change AND other.committed_at <= entry.committed_at)"
    )
    return Bookkeeping(
        "changes",
        f"CASE WHEN entry.project = {project} THEN entry.change ||"
        f" CASE WHEN {count} > 1 THEN '@' || {count} ELSE '' END END",
        schema=unit.options["registry"],
        checksum_sql="script_hash",
    )


def checksums(tree: Tree, migration: Migration) -> Iterable[str]:
    return (hashlib.sha1(each).hexdigest() for each in any_line_ends(tree.content(migration.path)) if migration.oid)


def downs(unit: Unit, tree: Tree, history: History) -> Mapping[str, str]:
    """The script in revert/ that is called as that in deploy/."""
    place = unit.options["revert_dir"]
    files = beside(lambda migration: join(place, migration.path.removeprefix(unit.migrations_dir)))
    return files(unit, tree, history)


def explain(output: str) -> DatabaseError | None:
    match = ERROR.search(output)
    if not match:
        return None
    return DatabaseError(
        match["sqlstate"] or "", match["message"], match["detail"] or "", match["hint"] or ""
    )


SYSTEM = System(
    name="sqitch", detect=detect, history=history, apply=apply, at=at, default_dir="deploy",
    bookkeeping=bookkeeping, down=down, same=same_sql, watch=lambda unit: (unit.options["plan"],), explain=explain,
    written=as_psql_runs_it,
    downs=downs, checksums=checksums,
)  # fmt: skip
