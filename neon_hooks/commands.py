"""What each command does, up to the point where a push has migrations; rehearsal.py goes on from there.

Nothing heavy is loaded here: rooms that only some commands need are imported by those.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from neon_hooks.changes import Range
from neon_hooks.errors import UsageError
from neon_hooks.git import Repository
from neon_hooks.push import INDEX, Push, pushes_from
from neon_hooks.pushed import Attempt, what_is_pushed, what_is_staged
from neon_hooks.ranges import range_of, resolved
from neon_hooks.report import out
from neon_hooks.settings import FILES, Settings, load

if TYPE_CHECKING:
    from neon_hooks.asked import Asked
    from neon_hooks.outcome import Outcome
    from neon_hooks.plan import Work
    from neon_hooks.tree import Tree

Command = Callable[[Namespace, Mapping[str, str]], int]
Linted = tuple[Range, "list[Work]", "Tree", Settings]
Told = tuple["Outcome", str, str]  # with its text, and the setting on_unavailable


def validate(flags: Namespace, environ: Mapping[str, str]) -> int:
    pushes = pushes_from(environ, to_ref=flags.to_ref, staged=flags.staged)
    return _validate(flags, environ, pushes)


def pre_push(flags: Namespace, environ: Mapping[str, str]) -> int:
    # All of standard input, also under pre-commit: git is killed by SIGPIPE if nobody reads it.
    lines = [] if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read().splitlines()
    pushes = pushes_from(environ, remote_name=flags.remote, remote_url=flags.url, stdin=lines)
    return _validate(flags, environ, pushes)


def _validate(flags: Namespace, environ: Mapping[str, str], pushes: Iterable[Push]) -> int:
    """Every pushed commit, one after the other."""
    done: list[Told] = []
    with Repository.find() as repository:
        for push in resolved(repository, pushes):
            settings = _settings_at(repository, push.commit, environ, {"verbose": flags.verbose})
            pushed = range_of(
                repository,
                push,
                base=settings.base,
                from_ref=getattr(flags, "from_ref", ""),
                everything=getattr(flags, "all", False),
            )
            for attempt in _attempts(repository, push, pushed, settings, getattr(flags, "beside", [])):
                if attempt.works or attempt.clash or _is_told(flags, settings):
                    from neon_hooks.rehearsal import rehearse  # loads all the rest

                    told = rehearse(repository, attempt, settings=settings, environ=environ, flags=flags)
                    done.append((*told, settings.on_unavailable))
    return _published(done, flags, environ)


def _attempts(
    repository: Repository, push: Push, pushed: Range, settings: Settings, others: list[str]
) -> Iterable[Attempt]:
    """The push as it is; with --with, after and before the others."""
    if not others:
        return [Attempt(pushed, what_is_pushed(repository, pushed, settings, models=settings.trials.drift))]
    from neon_hooks.beside import attempts  # it merges

    found, idle = attempts(repository, push, pushed, others, settings)
    if idle:
        out.complain(f"neon-hooks: left out, as all their migrations are here or on the main line: {', '.join(idle)}")
    if not (found[0].works or found[0].clash):
        out.complain("neon-hooks: there is no migration here, so nothing is tried with others")
    return found


def _published(done: list[Told], flags: Namespace, environ: Mapping[str, str]) -> int:
    """Write what the flags ask for besides the text. The gravest exit code of all."""
    if _is_published(flags):
        from neon_hooks.report.publish import publish

        publish([outcome for outcome, _, _ in done], "\n".join(text for _, text, _ in done if text), flags, environ)
    if not done:
        return 0
    from neon_hooks.outcome import exit_code

    codes = {exit_code(outcome, on_unavailable) for outcome, _, on_unavailable in done}
    return next(code for code in (1, 3, 0) if code in codes)


def _is_told(flags: Namespace, settings: Settings) -> bool:
    """Whether there is a report even of nothing."""
    return settings.verbose or _is_published(flags)


def _is_published(flags: Namespace) -> bool:
    """Whether there is more to make of it than the text."""
    return bool(flags.output or flags.html or flags.format != "text")


def report(flags: Namespace, environ: Mapping[str, str]) -> int:
    """Reports of a saved run. It was judged when it was validated: 0, whatever it says."""
    from neon_hooks.report import saved, terminal
    from neon_hooks.report.publish import prints_text, publish

    outcomes = saved.load(flags.run)
    texts = [
        terminal.render(
            outcome, verbose=bool(flags.verbose), skip="", on_unavailable="block", unicode=out.shows_unicode()
        )
        for outcome in outcomes
    ]
    text = "\n".join(filter(None, texts))
    if text and prints_text(flags):
        out.say(text)
    if _is_published(flags):
        publish(outcomes, text, flags, environ)
    return 0


def _settings_at(
    repository: Repository, commit: str, environ: Mapping[str, str], flags: Mapping[str, object]
) -> Settings:
    """The settings of the commit that is validated ("": the index); a new, uncommitted settings file counts as well."""
    contents = ((name, repository.content(f"{commit}:{name}")) for name in FILES)
    texts = {name: content.decode("utf-8", "replace") for name, content in contents if content}
    name = FILES[0]
    if name not in texts and "[tool.neon-hooks" not in texts.get(FILES[1], ""):
        texts |= _file(repository.top / name)
    return load(texts, environ, flags)


def _file(path: Path) -> dict[str, str]:
    try:
        return {path.name: path.read_text(encoding="utf-8")}
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path.name}: {error}", fix="make it a readable UTF-8 file") from None


def lint(flags: Namespace, environ: Mapping[str, str]) -> int:
    """The named files; else what is staged; else, in CI, what the checked-out commit brings."""
    with Repository.find() as repository:
        head = repository.resolve("HEAD")
        if flags.files:
            return _lint_files(flags, environ, repository)
        committing = "GIT_INDEX_FILE" in environ and not environ.get("PRE_COMMIT_TO_REF")
        if head and not committing and not repository.staged(head):
            return _lint_pushed(flags, environ, repository)
        settings = _settings_at(repository, "", environ, {"verbose": flags.verbose})
        base, rule = None, "nothing is published yet"
        if head:
            line = range_of(repository, Push("HEAD", commit=head), base=settings.base)
            base, rule = line.base, line.rule
        range = Range(base, "", rule, INDEX, staged=True)
        works = what_is_staged(repository, range, settings, head)
        if not works and not _is_told(flags, settings):
            return 0
        return _lint(flags, environ, [(range, works, repository.index(), settings)])


def _lint_pushed(flags: Namespace, environ: Mapping[str, str], repository: Repository) -> int:
    found: list[Linted] = []
    for push in resolved(repository, pushes_from(environ)):
        settings = _settings_at(repository, push.commit, environ, {"verbose": flags.verbose})
        pushed = range_of(repository, push, base=settings.base)
        works = what_is_pushed(repository, pushed, settings)
        if works or _is_told(flags, settings):
            found.append((pushed, works, repository.tree(pushed.target), settings))
    return _lint(flags, environ, found) if found else 0


def _lint_files(flags: Namespace, environ: Mapping[str, str], repository: Repository) -> int:
    from neon_hooks.linting import with_files, works_for

    settings = _settings_at(repository, "", environ, {"verbose": flags.verbose})
    tree, paths = with_files(repository, flags.files)
    works = works_for(tree, paths, settings)
    return _lint(flags, environ, [(Range(None, "", "named files", "these files", staged=True), works, tree, settings)])


def _lint(flags: Namespace, environ: Mapping[str, str], found: Iterable[Linted]) -> int:
    from neon_hooks.linting import lint  # loads squawk's room, the checks and the renderers

    done = [
        (*lint(pushed, works, tree, settings=settings, environ=environ, flags=flags), settings.on_unavailable)
        for pushed, works, tree, settings in found
    ]
    return _published(done, flags, environ)


def generate(flags: Namespace, environ: Mapping[str, str]) -> int:
    """For the work tree; with --pushed, as the hook, for the commits that are pushed."""
    from neon_hooks.asked import asked, asked_of_push

    wanted: list[tuple[Asked, Settings]] = []
    with Repository.find() as repository:
        if flags.pushed:
            for push in resolved(repository, pushes_from(environ)):
                settings = _settings_at(repository, push.commit, environ, {})
                found = asked_of_push(repository, range_of(repository, push, base=settings.base), settings)
                wanted += [(found, settings)] if found else []
        else:
            settings = load(_file(repository.top / FILES[0]) | _file(repository.top / FILES[1]), environ)
            wanted.append((asked(repository, settings), settings))
        return _generated(repository, wanted, environ, flags)


def _generated(
    repository: Repository, wanted: list[tuple[Asked, Settings]], environ: Mapping[str, str], flags: Namespace
) -> int:
    code, paths = 0, list[str]()
    for found, settings in wanted:
        if found.refusal:
            words = found.refusal
        else:
            from neon_hooks.generating import generate as run  # loads all the rest

            done = run(repository, found, settings=settings, environ=environ, flags=flags)
            code, words = max(code, done.code), done.words
            paths += done.paths
            if done.left_over:
                out.complain(f"warning: {done.left_over}")
        if flags.format == "text":
            out.say(words)
        elif words and code:
            out.complain(words)
    if flags.format == "json":
        import json

        out.say(json.dumps(paths))
    return code


def detect(flags: Namespace, environ: Mapping[str, str]) -> int:
    from neon_hooks import systems

    with Repository.find() as repository:
        commit = repository.commit(flags.at)
        settings = _settings_at(repository, commit, environ, {})
        units = systems.detect(repository.tree(commit), settings)
    if flags.format == "json":
        import json

        from neon_hooks.report.as_json import unit_document

        out.say(json.dumps([unit_document(unit) for unit in units], indent=2))
        return 0
    for unit in units:
        out.say(f"{unit.system} in {unit.root or '.'}: migrations in {unit.migrations_dir or '.'}")
        for evidence in unit.evidence:
            out.say(f"    {evidence}")
    if not units:
        out.say(f"no migration system found at {flags.at}")
    return 0


def sweep(flags: Namespace, environ: Mapping[str, str]) -> int:
    from neon_hooks.deadline import Deadline
    from neon_hooks.findings import counted
    from neon_hooks.lifetime import interruptible
    from neon_hooks.neon.sweep import sweep as sweep_left_overs

    with Repository.find() as repository:
        settings = load(_file(repository.top / FILES[0]) | _file(repository.top / FILES[1]), environ)
    deadline = Deadline.after(settings.deadline)
    with interruptible(deadline):
        swept = sweep_left_overs(settings, dry_run=flags.dry_run, deadline=deadline)
    verb, gone = ("would delete", swept.would_delete) if flags.dry_run else ("deleted", swept.deleted)
    for neon_branch in gone:
        out.say(f"{verb} {neon_branch.name} ({neon_branch.id})")
    for kept in swept.kept:
        out.say(f"kept {kept.neon_branch.name} ({kept.neon_branch.id}): {kept.reason}")
    out.say(f"{verb} {counted(len(gone), 'left-over test Neon database branch', 'es')}")
    return 0


def record(flags: Namespace, environ: Mapping[str, str]) -> int:
    from neon_hooks.recording import record as run

    argv = flags.argv[1:] if flags.argv[:1] == ["--"] else flags.argv
    if not argv:
        raise UsageError("there is no command to record", fix="neon-hooks record --output queries.sql -- pytest")
    return run(argv, flags.output or _queries_file(environ), environ, flags.url_variable)


def _queries_file(environ: Mapping[str, str]) -> Path:
    with Repository.find() as repository:
        settings = load(_file(repository.top / FILES[0]) | _file(repository.top / FILES[1]), environ)
        names = settings.trials.queries
        if len(names) != 1 or not names[0].endswith(".sql"):
            raise UsageError("where to write is not known", fix="name a file: --output queries.sql")
        return repository.top / names[0]


def emulator(flags: Namespace, environ: Mapping[str, str]) -> int:
    from neon_hooks.emulator.serve import serve

    return serve(port=flags.port, data=flags.data, postgres_version=flags.postgres_version)


def demo(flags: Namespace, environ: Mapping[str, str]) -> int:
    from neon_hooks.demo import run

    return run(dict(environ))


COMMANDS: Mapping[str, Command] = {
    "validate": validate,
    "pre-push": pre_push,
    "report": report,
    "lint": lint,
    "detect": detect,
    "generate": generate,
    "record": record,
    "sweep": sweep,
    "emulator": emulator,
    "demo": demo,
}
