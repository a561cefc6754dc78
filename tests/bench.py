"""``make bench``: what our own part costs, as ratios within one run on one machine.

1. A push without migrations: CPU time of the hook against a trivial hook of pre-commit-hooks.
2. A push with a migration: `neon-hooks validate` against the bare sum of its parts, which are the API
   calls and the project's own tool, both called directly.
   Then each further trial switched on, as a ratio to that; and all of them on the demo's project, whose last
   migration is several transactions on 300 000 rows. As they are by default they shall stay below 2.
3. Detection in a monorepo of 100 000 files, against one `git ls-tree`.
4. The flight recorder (tests/recorder/bench.py).
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx

from neon_hooks import demo, systems
from neon_hooks.database.connect import connect
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator
from neon_hooks.git import Repository
from neon_hooks.settings import Settings
from tests.fix_gate import Team
from tests.fix_git import ISOLATED, Clone
from tests.fix_systems import python_environment
from tests.gate.stories import ALEMBIC
from tests.recorder.bench import main as recorder

BIN = Path(sys.executable).parent
ROUNDS = 15
QUERIES = 1_000  # known ones


def cpu_ms(argv: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> float:
    """User and system time of the process and its children, the least of several runs."""
    spent = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(argv, cwd=cwd, env=environ, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent) * 1000


def wall_ms(work: Callable[[], object], rounds: int = 5) -> float:
    """Elapsed time, the median of several runs."""
    spent = []
    for _ in range(rounds):
        began = time.monotonic()
        work()
        spent.append(time.monotonic() - began)
    return statistics.median(spent) * 1000


def row(what: str, ms: float, base: float) -> None:
    print(f"  {what:<62} {ms:>8.0f} ms   {ms / base:>5.2f}")


def no_op(team: Team) -> None:
    """In an Alembic project, as its team would feel it: a push of code only."""
    team.clone.commit({"app.py": "print('hello')\n"})
    here, environ = team.clone.path, team.environment()
    trivial = cpu_ms([str(BIN / "no-commit-to-branch"), "--branch", "x"], here, environ)
    print("A push without migrations (CPU time; ratio to the trivial hook no-commit-to-branch)")
    row("python -c pass", cpu_ms([sys.executable, "-c", "pass"], here, environ), trivial)
    row("no-commit-to-branch of pre-commit-hooks", trivial, trivial)
    row("neon-validate-migrations", cpu_ms([str(BIN / "neon-validate-migrations")], here, environ), trivial)
    team.clone.write({"app.py": "print('hello again')\n"})
    team.clone.git("add", "app.py")
    row("neon-lint-migrations at a commit", cpu_ms([str(BIN / "neon-lint-migrations")], here, environ), trivial)


def api_calls(team: Team) -> tuple[str, Dsn]:
    """What any client has to ask: create, wait, the connection string. Returns the id and the string."""
    emulator = team.emulator
    project = f"/projects/{emulator.project_id}"
    with httpx.Client(base_url=emulator.api_host, headers={"Authorization": f"Bearer {emulator.api_key}"}) as neon:
        made = neon.post(f"{project}/branches", json={"endpoints": [{"type": "read_write"}]}, timeout=60).json()
        for operation in made["operations"]:
            while neon.get(f"{project}/operations/{operation['id']}").json()["operation"]["status"] != "finished":
                time.sleep(0.05)
        params = {"branch_id": made["branch"]["id"], "database_name": "neondb", "role_name": "neondb_owner"}
        uri = neon.get(f"{project}/connection_uri", params=params).json()["uri"]
        return made["branch"]["id"], Dsn.parse(uri)


def delete(team: Team, neon_branch: str) -> None:
    emulator = team.emulator
    url = f"{emulator.api_host}/projects/{emulator.project_id}/branches/{neon_branch}"
    headers = {"Authorization": f"Bearer {emulator.api_key}"}
    while httpx.delete(url, headers=headers, timeout=60).status_code == 423:
        time.sleep(0.05)


def the_parts(team: Team, argv: Sequence[str]) -> None:
    neon_branch, dsn = api_calls(team)
    environ = {**team.environment(), "DATABASE_URL": dsn.uri("postgresql+psycopg")}
    subprocess.run(argv, cwd=team.clone.path, env=environ, check=True, capture_output=True)
    delete(team, neon_branch)


def validation(team: Team) -> None:
    team.clone.commit(dict([ALEMBIC.good]))
    here, environ = team.clone.path, team.environment()
    tool = [str(python_environment("sqlalchemy")), *ALEMBIC.deploy[1:]]
    nothing = [str(python_environment("sqlalchemy")), "-m", "alembic", "--version"]
    parts = wall_ms(lambda: the_parts(team, tool))
    again = wall_ms(lambda: subprocess.run(nothing, cwd=here, check=True, capture_output=True))
    whole = wall_ms(
        lambda: subprocess.run([str(BIN / "neon-hooks"), "validate"], cwd=here, env=environ, check=True)
    )
    print("A push with an Alembic migration (elapsed time; ratio to the bare sum of its parts)")
    row("API calls and `alembic upgrade heads`, called directly", parts, parts)
    row("the same and a second start of Alembic", parts + again, parts)
    row("neon-hooks validate (runs the tool twice, proves what it did)", whole, parts)


def switches(team: Team) -> list[str]:
    return [name for name in team.environ if name.startswith("NEON_HOOKS_TRIALS_")]


def trials(team: Team) -> None:
    """The fixture switches the further trials off; here one after the other is switched on."""
    queries = "".join(f"SELECT id, email, {n} FROM customers WHERE email = $1;\n" for n in range(QUERIES))
    team.clone.commit({"queries.sql": queries})
    here, environ, names = team.clone.path, team.environment(), switches(team)

    def validate(*switched_on: str, queries: str = "", others: Sequence[str] = ()) -> Callable[[], object]:
        with_trials = {**environ, **dict.fromkeys(switched_on, "true"), "NEON_HOOKS_TRIALS_QUERIES": queries}
        argv = [str(BIN / "neon-hooks"), "validate", *others]
        return partial(subprocess.run, argv, cwd=here, env=with_trials, check=not others, capture_output=True)

    print("What the further trials add to that push (elapsed time; ratio to it without any)")
    team.clone.git("branch", "-q", "other", "HEAD~1")
    team.clone.git("worktree", "add", "-q", str(team.home / "other"), "other")
    other = Clone(team.home / "other")
    other.commit({ALEMBIC.after_good[0]: ALEMBIC.after_good[1].replace('"c3"', '"b2"').replace("country", "nickname")})
    in_turn(
        {
            "neon-hooks validate without further trials": validate(),
            **{f"the same with {name.removeprefix('NEON_HOOKS_TRIALS_').lower()}": validate(name) for name in names},
            f"the same with {QUERIES} known queries": validate(queries="queries.sql"),
            "the same with all of them": validate(*names, queries="queries.sql"),
            "with another push, in both orders": validate(others=("--with", "other")),
        }
    )


def in_turn(runs: Mapping[str, Callable[[], object]], rounds: int = 3) -> None:
    """One row each, with the ratio to the first. The least of several rounds, so that what else this machine does
    falls on all of them.
    """
    spent: dict[str, list[float]] = {what: [] for what in runs}
    for _ in range(rounds):
        for what, run in runs.items():
            spent[what].append(wall_ms(run, rounds=1))
    base = min(next(iter(spent.values())))
    for what, ms in spent.items():
        row(what, min(ms), base)


def demo_project(home: Path, emulator: Emulator, names: Sequence[str]) -> None:
    with closing(connect(emulator.main)) as production:
        production.execute(demo.SCHEMA.encode())
        production.execute(demo.PRODUCTION_ROWS.encode())
    neon = {"NEON_API_HOST": emulator.api_host, "NEON_API_KEY": emulator.api_key, "NEON_PROJECT_ID": emulator.project_id}
    sample = demo.Sample(home, {**os.environ, **neon})
    sample.commit(".neon-hooks.toml", demo.SETTINGS, "Settings")
    sample.commit(demo.FIRST, demo.SCHEMA, "Customers")
    sample.git("push", "--quiet", "origin", "main")
    sample.commit(demo.SECOND, demo.MENDED, "E-mail addresses are unique, without a lock")

    def validate(switched: Mapping[str, str]) -> Callable[[], object]:
        environ, argv = {**sample.environ, **switched}, [str(BIN / "neon-hooks"), "validate"]
        return partial(subprocess.run, argv, cwd=sample.top, env=environ, check=True, capture_output=True)

    print("The demo's migration, which passes (elapsed time; ratio to it without further trials)")
    in_turn(
        {
            "neon-hooks validate without further trials": validate(dict.fromkeys(names, "false")),
            "the same with all that run by default": validate({}),
            "the same with all, and interrupted at every place": validate(dict.fromkeys(names, "true")),
        }
    )


def monorepo(home: Path) -> None:
    """100 000 files of many packages, some with migrations: detection beside one `git ls-tree`."""
    clone = Clone.init(home)
    for service in range(50):
        clone.write({f"services/s{service}/src/m{n}/f{k}.ts": f"export const x = {n}" for n in range(40) for k in range(50)})
        clone.write({f"services/s{service}/migrations/{n:03}_x.sql": "CREATE TABLE t ();" for n in range(20)})
        clone.write({f"services/s{service}/package.json": "{}"})
    clone.commit({"README": "big"})
    with Repository.find(home) as repository:
        listing = wall_ms(lambda: clone.git("ls-tree", "-r", "-z", "HEAD"))
        tree = wall_ms(lambda: Repository.find(home).tree("HEAD"))

        def detection() -> None:
            with Repository.find(home) as fresh:
                systems.detect(fresh.tree("HEAD"), Settings())

        whole = wall_ms(detection)
        files = len(repository.tree("HEAD").oids)
    print(f"Detection in a monorepo of {files} files (elapsed time; ratio to git ls-tree)")
    row("git ls-tree -r", listing, listing)
    row("the same, as a Tree", tree, listing)
    row("detect", whole, listing)


def main() -> int:
    os.environ |= ISOLATED
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode
    with tempfile.TemporaryDirectory() as home, Emulator() as emulator:
        team = Team(Path(home), emulator)
        ALEMBIC.start(team)
        no_op(team)
        print()
        validation(team)
        print()
        trials(team)
        names = switches(team)
    print()
    with tempfile.TemporaryDirectory() as home, Emulator() as emulator:
        demo_project(Path(home), emulator, names)
    print()
    with tempfile.TemporaryDirectory() as home:
        monorepo(Path(home))
    print()
    return recorder()


if __name__ == "__main__":
    raise SystemExit(main())
