"""`neon-hooks generate`: a test Neon database branch, the desired schema beside it, and the files that come of it.

Loaded only where there is a schema to generate from; migra is not loaded even then (generate/worker.py).
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from neon_hooks.asked import Asked, schema_files
from neon_hooks.database.execute import FileRun, run_files
from neon_hooks.database.scratch import load, scratch_database
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Blocked, Interrupted, NeonHooksError, Unavailable
from neon_hooks.generate.deployed import deployed
from neon_hooks.generate.draft import Draft, Order, compare, draft, own_statements, schema_of
from neon_hooks.generate.files import slug
from neon_hooks.git import Repository
from neon_hooks.lacking import STAND_IN_LACKS, lack_in
from neon_hooks.lifetime import interruptible
from neon_hooks.plan import Migration
from neon_hooks.neon.branch import TestNeonBranch, test_neon_branch
from neon_hooks.report.status import StatusLine
from neon_hooks.settings import Settings
from neon_hooks.tree import Tree, join, parent

MOST_UNDEPLOYED = 20  # of the migrations on the main line, how many of the last may wait for their deployment


@dataclass(frozen=True)
class Generated:
    """``paths`` have been written; ``words`` are for a person; ``code`` is the command's exit code."""

    code: int
    words: str
    paths: tuple[str, ...] = ()
    left_over: str = ""


def generate(
    repository: Repository, asked: Asked, *, settings: Settings, environ: Mapping[str, str], flags: Namespace
) -> Generated:
    """Raises Blocked, UsageError and Unavailable."""
    deadline = Deadline.after(settings.deadline)
    with StatusLine(environ) as say, interruptible(deadline):
        return Generator(repository, asked, settings, environ, flags, deadline, say).run()


@dataclass(frozen=True)
class Generator:
    """One run."""

    repository: Repository
    asked: Asked
    settings: Settings
    environ: Mapping[str, str]
    flags: Namespace
    deadline: Deadline
    say: Callable[[str], None]

    def run(self) -> Generated:
        files = schema_files(self.asked)
        neon_branch: TestNeonBranch | None = None
        try:
            with ExitStack() as stack:
                settings = self._with_neon(stack)
                neon_branch = test_neon_branch(
                    settings,
                    git_sha=self.asked.range.target,
                    git_ref=self.asked.range.git_ref,
                    deadline=self.deadline,
                    say=self.say,
                    connection_string=self.environ.get("DATABASE_URL", ""),
                )
                with neon_branch:
                    current = neon_branch.dsn()
                    with scratch_database(current) as desired:
                        self._load(desired, files)
                        found = self._compared(current, desired, files)
        except (NeonHooksError, Interrupted) as error:
            error.left_over = neon_branch.left_over if neon_branch else ""
            raise
        return Generated(found.code, found.words, found.paths, neon_branch.left_over)

    def _with_neon(self, stack: ExitStack) -> Settings:
        if not self.settings.is_local:
            return self.settings
        from neon_hooks.local import stand_in  # the emulator, which nobody else needs

        base = self.asked.range.base
        return stack.enter_context(stand_in(self.repository, base, self.settings, self.environ, self.deadline, self.say))

    def _load(self, desired: Dsn, files: list[tuple[str, str]]) -> None:
        self.say("loading the desired schema into a scratch database")
        failed = load(desired, files, _reader(self.asked.tree))
        if failed:
            self._refuse(failed, "the desired schema")

    def _refuse(self, failed: FileRun, what: str) -> None:
        """Raise what fits a statement that failed: nothing is written."""
        statement = failed.statements[-1]
        assert statement.error
        place = f"{failed.path}:{statement.line}"
        lack = lack_in(statement.error.message)
        if lack:
            fix = STAND_IN_LACKS if self.settings.is_local else lack.fix
            raise Unavailable(f"{place}: the server lacks {lack.what}", fix=fix)
        said = ". ".join(filter(None, (statement.error.message, statement.error.detail, statement.error.hint)))
        raise Blocked(f"{place}: {said}", fix=f"correct {what}; nothing has been written")

    def _compared(self, current: Dsn, desired: Dsn, files: list[tuple[str, str]]) -> Generated:
        """Main as it will be with the migrations that are there already, against the desired schema."""
        unit = self.asked.unit
        assert unit
        if not compare(current, desired, self.deadline):
            return Generated(0, "the schema and the migrations agree")
        wrapped = unit.options.get("single_transaction") == "true"
        self._apply(current, wrapped)
        differing = compare(current, desired, self.deadline)
        if not differing:
            return Generated(0, "the schema and the migrations agree")
        if self.flags.check:
            listing = "\n  ".join(differing[:20])
            return Generated(1, f"the schema and the migrations do not agree:\n  {listing}\n  fix: neon-hooks generate")
        if self.asked.loose:
            raise Blocked(
                f"{self.asked.loose[0]} is not in the commit that is pushed", fix="review it, git add, commit, push again"
            )
        order = Order(
            schema=unit.options["schema"],
            own=own_statements(files) or (),
            directory=unit.migrations_dir,
            taken=[path for path in self.asked.tree.below(unit.migrations_dir) if parent(path) == unit.migrations_dir],
            name=slug(self.flags.name) if self.flags.name else "",
            renames=(*self.settings.schema.renames, *self.flags.rename),
            wrapped=wrapped,
            rows=self.settings.data != "schema-only",
        )
        return self._written(draft(current, desired, order, self.deadline, self.say))

    def _apply(self, current: Dsn, wrapped: bool) -> None:
        """The migrations that main does not have yet: they are part of the way already."""
        migrations = (*self._undeployed(current, wrapped), *self.asked.pending)
        if migrations:
            self.say("running the migrations that are there")
        for run in run_files(current, self._texts(migrations), read=_reader(self.asked.tree), single_transaction=wrapped):
            if run.error:
                self._refuse(run, "the migration (`neon-hooks validate` says more)")

    def _texts(self, migrations: Iterable[Migration]) -> list[tuple[str, str]]:
        return [(migration.path, self.asked.tree.text(migration.path)) for migration in migrations]

    def _undeployed(self, current: Dsn, wrapped: bool) -> Sequence[Migration]:
        """The last ones on the main line of git, where a deployment is still to come; none where nothing tells."""
        merged = self.asked.merged
        if not merged:
            return ()
        self.say("looking which migrations main has")
        read = _reader(self.asked.tree)
        first = max(0, len(merged) - MOST_UNDEPLOYED)
        with scratch_database(current) as scratch:
            done = run_files(scratch, self._texts(merged[:first]), read=read, single_transaction=wrapped)
            after = [schema_of(scratch)]
            for migration in merged[first:]:
                done += run_files(scratch, self._texts([migration]), read=read, single_transaction=wrapped)
                after.append(schema_of(scratch))
        if any(run.error for run in done):
            return ()  # they begin at a schema that was there before them
        return merged[first + deployed(schema_of(current), after) :]

    def _written(self, made: Draft) -> Generated:
        for file in made.files:
            path = self.repository.top / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(file.text)
        paths = tuple(file.path for file in made.files)
        words = [f"wrote {path}" for path in paths]
        words += [f"it takes away {loss}: the file has a place to accept that" for loss in made.lost]
        if made.problem:
            words += [f"the data that is there does not fit: {made.problem}", "edit the file so that it does"]
        words.append("review, git add, commit" + (", push again" if self.flags.pushed else ""))
        stops = self.flags.pushed or made.problem
        return Generated(1 if stops and paths else 0, "\n".join(words), paths)


def _reader(tree: Tree) -> Callable[[str, str], str]:
    """What ``\\i`` names: beside the including file, else from the top."""

    def read(name: str, including: str) -> str:
        for path in (join(parent(including), name), join("", name)):
            if path in tree:
                return tree.text(path)
        raise FileNotFoundError(2, "no such file in the repository")

    return read
