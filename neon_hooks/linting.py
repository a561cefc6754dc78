"""`neon-hooks lint`: new migrations, read and judged without a database. Loaded only when there are some.

The hook `neon-lint-migrations` runs in the pre-commit stage and in CI services that allow no network. It
reads git and nothing else, and writes nothing.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from neon_hooks import systems
from neon_hooks.changes import Range
from neon_hooks.checks import check_rule_ids, judge
from neon_hooks.errors import UsageError
from neon_hooks.facts import Facts, UnitFacts
from neon_hooks.git import Repository
from neon_hooks.outcome import Outcome
from neon_hooks.plan import Migration, Unit, Work
from neon_hooks.rehearsal import tell
from neon_hooks.settings import Settings
from neon_hooks.texts import with_texts
from neon_hooks.tree import Tree, parent

ID = "neon-lint-migrations"


def lint(
    range: Range, works: Sequence[Work], tree: Tree, *, settings: Settings, environ: Mapping[str, str], flags: Namespace
) -> tuple[Outcome, str]:
    """Judge the texts, and tell it in words, which are printed unless --format wants something else."""
    check_rule_ids(settings.rules, settings.origin.get("rules", ""))
    units = tuple(with_texts(UnitFacts(work), tree) for work in works)
    facts = Facts(range, units, offline=True)
    outcome = Outcome(facts, judge(facts, settings.rules))
    skip = f"SKIP={ID} git commit" if environ.get("PRE_COMMIT") == "1" else "git commit --no-verify"
    return outcome, tell(outcome, settings, flags, skip)


def with_files(repository: Repository, names: Sequence[str]) -> tuple[Tree, list[str]]:
    """The index with the files called ``names`` as they are on the disk, and their paths in it.

    Raises UsageError for one that is not there, or not in the work tree.
    """
    index = repository.index()
    contents = {}
    for name in names:
        file = Path(name)
        try:
            path = file.resolve().relative_to(repository.top.resolve()).as_posix()
            contents[path] = file.read_bytes()
        except ValueError:
            raise UsageError(f"{name} is not in {repository.top}", fix="start neon-hooks in its repository") from None
        except OSError as error:
            raise UsageError(f"cannot read {name}: {error.strerror}", fix="name files that are there") from None
    oids = {**index.oids, **{path: index.oids.get(path) or f"file:{path}" for path in contents}}
    return Tree(oids, lambda path: contents[path] if path in contents else index.content(path)), list(contents)


def works_for(tree: Tree, paths: Sequence[str], settings: Settings) -> list[Work]:
    """The named files as new migrations of the systems that know them; other .sql files as plain SQL."""
    found = []
    left = set(paths)
    for unit in systems.detect(tree, settings):
        work = systems.work_for_files(unit, tree, frozenset(paths))
        if work.pushed:
            found.append(work)
            left -= {migration.path for migration in work.pushed}
    plain = tuple(Migration(path, path, tree.oids[path]) for path in sorted(left) if path.endswith(".sql"))
    for migration in plain:
        unit = Unit("sql", parent(migration.path), parent(migration.path), ("named on the command line",))
        found.append(Work(unit, (migration,), (migration,)))
    return found
