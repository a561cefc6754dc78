"""The models and the migrations do not agree."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Agreement, Compared, Drift, Facts, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, counted, found

MISSING = Rule(
    id="missing-migration",
    severity=Severity.ERROR,
    acceptable=False,
    condition="The pushed models say something else than the migrations make, and the main line's did not.",
    effect="The deployed code uses columns or tables that no database has, or leaves some behind.",
    fix="make the migration that is missing, read it, and push it too",
)
OLD = Rule(
    id="models-drift",
    severity=Severity.NOTE,
    condition="Models and migrations differed before the push already.",
    effect="The next migration that is generated will contain the difference.",
    fix="make a migration of it, or correct the models",
)
UNKNOWN = Rule(
    id="models-not-compared",
    severity=Severity.NOTE,
    condition="The tool could not compare the models with the migrations.",
    effect="A migration that is missing would not be noticed.",
    fix="install the tool, or correct what it complains about; `[trials] drift = false` switches this off",
)
RULES = (MISSING, OLD, UNKNOWN)
HOW = {
    "alembic": "`alembic revision --autogenerate`",
    "django": "`python manage.py makemigrations`",
    "prisma": "`prisma migrate dev`",
    "drizzle": "`drizzle-kit generate`",
    "typeorm": "`typeorm migration:generate`",
    "mikroorm": "`mikro-orm migration:create`",
}
# Where the models are a file that the tool writes itself: what it is called, and what writes it.
WRITTEN = {
    "activerecord": ("the schema file of Active Record", "`bin/rails db:migrate` writes db/schema.rb or db/structure.sql"),
    "diesel": ("the schema.rs of diesel", "`diesel migration run` writes it"),
}
SHOWN = 20


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.drift:
            yield from _judged(unit, unit.drift)


def _judged(unit: UnitFacts, drift: Drift) -> Iterator[Finding]:
    now, system = drift.now, unit.unit.system
    where = {"path": _path(unit), "system": system}
    if now.agreement is Agreement.UNKNOWN:
        yield found(UNKNOWN, f"the models could not be compared with the migrations: {_why(now)}", quote=_said(now), **where)
    if now.agreement is not Agreement.DIFFERENT:
        return
    known = drift.earlier.differences if drift.earlier else ()
    new = [each for each in now.differences if each not in known]
    old = [each for each in now.differences if each in known]
    if new:
        untold = drift.earlier and drift.earlier.agreement is Agreement.UNKNOWN
        doubt = "; it could not be found out whether the main line has the same" if untold else ""
        yield found(
            MISSING,
            f"{_wrong(system)}: {_argv(now)} finds {counted(len(new), 'difference')}{doubt}",
            quote=_shown(new),
            fix=_fix(system),
            evidence={"differences": new, "earlier": old},
            **where,
        )
    if old:
        yield found(
            OLD,
            f"models and migrations differed before this push already, in {counted(len(old), 'place')}",
            quote=_shown(old),
            evidence={"differences": old},
            **where,
        )


def _wrong(system: str) -> str:
    if system in WRITTEN:
        return f"{WRITTEN[system][0]} is not what the migrations make (- only in the file, + only in the database)"
    return "the models need a migration"


def _fix(system: str) -> str:
    if system in WRITTEN:
        return f"push the file as the migrations make it: {WRITTEN[system][1]}; or make the migration that it lacks"
    return f"{MISSING.fix}: {HOW[system]}" if system in HOW else MISSING.fix


def _path(unit: UnitFacts) -> str:
    work = unit.work
    return work.models[0] if work.models else work.pushed[-1].path if work.pushed else unit.unit.migrations_dir


def _argv(compared: Compared) -> str:
    """What was started; not where it is a script or a task of ours around the tool."""
    argv = compared.run.argv if compared.run else ()
    ours = not argv or argv[0] == "sh" or argv[:2] == ("rake", "-r")
    return "the comparison" if ours else f"`{' '.join(argv)}`"


def _why(compared: Compared) -> str:
    if compared.slow_ms:
        return f"it was stopped after {compared.slow_ms / 1000:.0f} s, so that there is time for the rest"
    if compared.run is None:
        return "the project's tool is not installed"
    return f"{_argv(compared)} ended with exit code {compared.run.exit_code}"


def _said(compared: Compared) -> str:
    return "\n".join(compared.run.output.strip().splitlines()[-10:]) if compared.run else ""


def _shown(differences: list[str]) -> str:
    more = [f"... and {len(differences) - SHOWN} more"] if len(differences) > SHOWN else []
    return "\n".join([*differences[:SHOWN], *more])
