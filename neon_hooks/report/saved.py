"""A saved run read back: what as_json.py wrote, as Outcomes again. The file may be anybody's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from neon_hooks.changes import Range
from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.facts import Catalogue, Facts, MigrationRun, NeonBranch, Statement, Table, ToolRun, UnitFacts
from neon_hooks.findings import Finding
from neon_hooks.outcome import Outcome
from neon_hooks.plan import Edit, Migration, Unit, Work
from neon_hooks.report.as_json import AGAIN, FACTS_TOLD, FIRST, FORMAT, UNIT_TOLD
from neon_hooks.report.codec import Wrong, as_list, as_object, decode, given

MAKE_ONE = "make one with `neon-hooks validate --format json --output RUN.json`"
Json = dict[str, Any]
Placed = tuple[int, Statement]  # a statement and its position in the run, 0 for none


def load(file: Path) -> tuple[Outcome, ...]:
    """The runs in ``file``, in the order in which they were written. Raises UsageError."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{file}: not a saved run of neon-hooks (it is not UTF-8)", fix=MAKE_ONE) from None
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", fix=MAKE_ONE) from None
    return read(text, str(file))


def read(text: str, name: str) -> tuple[Outcome, ...]:
    """``name`` is what errors call the text."""
    try:
        return tuple(_outcome(document) for document in _documents(text, name))
    except Wrong as error:
        message = f"{name}: {error}; another version of neon-hooks has written it, or a hand"
        raise UsageError(message, fix=MAKE_ONE) from None


def _documents(text: str, name: str) -> list[Json]:
    """One, or several after each other. Raises UsageError for what is not ours."""
    decoder, documents, rest = json.JSONDecoder(), [], text.strip()
    try:
        while rest:
            document, end = decoder.raw_decode(rest)
            documents.append(document)
            rest = rest[end:].lstrip()
    except (ValueError, RecursionError):
        documents = []
    if not documents or not all(isinstance(one, dict) and "format" in one and "verdict" in one for one in documents):
        raise UsageError(f"{name}: not a saved run of neon-hooks", fix=MAKE_ONE)
    for document in documents:
        if document["format"] != FORMAT:
            raise UsageError(
                f"{name}: its `format` is {document['format']!r}, and this neon-hooks reads {FORMAT}",
                fix="use the version of neon-hooks that wrote it, or " + MAKE_ONE,
            )
    return documents


def _outcome(document: Json) -> Outcome:
    migrations: list[list[Json]] = [[] for _ in _take(document, "systems", list)]
    for number, migration in enumerate(_take(document, "migrations", list)):
        where = f"migrations[{number}]"
        if as_object(migration, where).get("tried", True):
            unit = decode(int, _take(migration, "unit", object, where), f"{where}.unit")
            if not 0 <= unit < len(migrations):
                raise Wrong(f"`{where}.unit` must be the place of a system")
            migrations[unit].append({**migration, "where": where})
    facts = Facts(
        range=decode(Range, document.get("range"), "range"),
        units=tuple(
            _unit(as_object(system, f"systems[{number}]"), migrations[number], f"systems[{number}]")
            for number, system in enumerate(document["systems"])
        ),
        neon_branch=decode(NeonBranch | None, document.get("neon_branch"), "neon_branch"),
        timings=decode(dict[str, float], document.get("timings", {}), "timings"),
        **given(Facts, document, FACTS_TOLD, ""),
    )
    error = None
    if "error" in document:
        said = decode(dict[str, str], document["error"], "error")
        error = Unavailable(said.get("message", ""), fix=said.get("fix", ""))
    return Outcome(
        facts,
        decode(tuple[Finding, ...], _take(document, "findings", list), "findings"),
        error,
        decode(str, document.get("left_over", ""), "left_over"),
    )


def _take(table: Json, key: str, kind: type, where: str = "") -> Any:
    place = f"{where}.{key}" if where else key
    if key not in table:
        raise Wrong(f"`{place}` is missing")
    return as_list(table[key], place) if kind is list else table[key]


def _unit(system: Json, migrations: list[Json], where: str) -> UnitFacts:
    pushed = _take(system, "pushed", list, where)
    unit = decode(Unit, {**system, "options": {}}, where)
    unit = replace(unit, root=_directory(unit.root), migrations_dir=_directory(unit.migrations_dir))
    new = tuple(
        decode(Migration, {"oid": "", **as_object(one, f"{where}.pushed[{number}]")}, f"{where}.pushed[{number}]")
        for number, one in enumerate(pushed)
    )
    tried = [_migration(migration) for migration in migrations]
    entries = _take(system, "runs", list, where)
    runs = [as_object(run, f"{where}.runs[{number}]") for number, run in enumerate(entries)]
    first = next((run for run in runs if run.get("trial") == FIRST), None)
    again = next((run for run in runs if run.get("trial") == AGAIN), None)
    inside = [pair for _, statements in tried for pair in statements]
    facts = as_object(_take(system, "facts", dict, where), f"{where}.facts")
    return UnitFacts(
        work=Work(unit, (), new, decode(tuple[Edit, ...], system.get("edits", []), f"{where}.edits")),
        migrations=tuple(migration for migration, _ in tried),
        first=_run(first, inside, f"{where}.runs") if first else None,
        again=_run(again, [], f"{where}.runs") if again else None,
        before=_catalogue(system.get("before"), f"{where}.before"),
        after=_catalogue(system.get("after"), f"{where}.after"),
        **given(UnitFacts, facts, UNIT_TOLD, f"{where}.facts"),
    )


def _directory(name: str) -> str:
    """The document calls the repository's top "."."""
    return "" if name == "." else name


def _statements(entries: Any, where: str) -> list[Placed]:
    return [
        (
            decode(int, as_object(entry, f"{where}[{number}]").get("position", 0), f"{where}[{number}].position"),
            decode(Statement, entry, f"{where}[{number}]"),
        )
        for number, entry in enumerate(as_list(entries, where))
    ]


def _migration(entry: Json) -> tuple[MigrationRun, list[Placed]]:
    where = entry["where"]
    placed = _statements(_take(entry, "statements", list, where), f"{where}.statements")
    run: MigrationRun = decode(MigrationRun, {**entry, "statements": []}, where)
    return replace(run, statements=tuple(statement for _, statement in placed)), placed


def _run(entry: Json, inside: list[Placed], where: str) -> ToolRun:
    """The run with the statements of its migrations back in their places among the others."""
    others = _statements(_take(entry, "statements", list, where), f"{where}.statements")
    placed = sorted((pair for pair in inside + others if pair[0]), key=lambda pair: pair[0])
    run: ToolRun = decode(ToolRun, {**entry, "statements": []}, where)
    return replace(run, statements=tuple(statement for _, statement in placed))


def _catalogue(tables: Any, where: str) -> Catalogue | None:
    return None if tables is None else Catalogue(decode(dict[int, Table], tables, where))
