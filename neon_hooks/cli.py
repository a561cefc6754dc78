"""The command ``neon-hooks``: flags in, exit code out, and the one place that catches errors.

Nothing heavy is imported here: a push without migrations must cost no more than a trivial hook.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from neon_hooks.errors import Interrupted, NeonHooksError
from neon_hooks.lifetime import ignore_signals
from neon_hooks.report.out import complain

FORMATS = ("text", "json")
REPORT_FORMATS = (*FORMATS, "markdown", "sarif", "junit", "github")


class _Version(argparse.Action):
    """Looks the version up only when asked: importlib.metadata takes longer to load than all the rest."""

    def __call__(self, *args: object, **kwargs: object) -> None:
        from importlib.metadata import version

        print(f"neon-hooks {version('neon-hooks')}")
        raise SystemExit(0)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="neon-hooks", description="Tries what a push would do to production on a copy of production."
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    validate = commands.add_parser("validate", help="try the migrations of a range on a test Neon database branch")
    validate.add_argument("--from-ref", metavar="REF", default="", help="the git ref that is known to be deployed")
    validate.add_argument("--to-ref", metavar="REF", default="", help="the git ref to validate (default: HEAD)")
    validate.add_argument("--staged", action="store_true", help="validate the index instead of a commit")
    validate.add_argument("--with", dest="beside", action="append", default=[], metavar="REF", help="another push, to be tried in both orders")
    validate.add_argument("--all", action="store_true", help="take every migration for new")
    add_report_flags(validate)

    pre_push = commands.add_parser("pre-push", help="a git pre-push hook: ref updates on standard input")
    pre_push.add_argument("remote", help="the remote's name, as git passes it")
    pre_push.add_argument("url", nargs="?", default="", help="the remote's URL, as git passes it")
    add_report_flags(pre_push)

    lint = commands.add_parser("lint", help="read new migrations and judge them, without a database or a network")
    lint.add_argument("files", nargs="*", metavar="FILE", help="files to read (default: what is staged, else committed)")
    add_report_flags(lint)

    generate = commands.add_parser("generate", help="write the migration that leads to the desired schema")
    generate.add_argument("--name", default="", help="what the files are called after their number")
    generate.add_argument("--check", action="store_true", help="only say whether schema and migrations agree")
    generate.add_argument("--rename", action="append", default=[], metavar="OLD=NEW", help="keep the data of what has a new name")
    generate.add_argument("--pushed", action="store_true", help="look at what is pushed instead of the work tree")
    generate.add_argument("--format", choices=FORMATS, default="text")

    detect = commands.add_parser("detect", help="say which migration systems a commit has, and why")
    detect.add_argument("--at", metavar="REF", default="HEAD", help="the git ref to look at (default: HEAD)")
    detect.add_argument("--format", choices=FORMATS, default="text")

    report = commands.add_parser("report", help="make the reports of a saved run again")
    report.add_argument("run", type=Path, metavar="RUN.json", help="what `validate --format json` has written")
    add_report_flags(report)

    record = commands.add_parser("record", help="write the queries that a test suite sends, for `[trials] queries`")
    record.add_argument("--output", type=Path, default=None, metavar="FILE", help="default: the one of `[trials] queries`")
    record.add_argument("--url-variable", metavar="NAME", default="DATABASE_URL", help="has the address of its database")
    record.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="what runs the tests")

    sweep = commands.add_parser("sweep", help="delete left-over test Neon database branches of neon-hooks")
    sweep.add_argument("--dry-run", action="store_true", help="only say which")

    emulator = commands.add_parser("emulator", help="serve an emulated Neon on 127.0.0.1")
    emulator.add_argument("--port", type=int, default=0, help="0 takes any free port (default)")
    emulator.add_argument("--data", type=Path, default=None, metavar="DIR", help="keep its state here")
    emulator.add_argument("--postgres-version", type=int, default=0, metavar="N", help="the major version to run")

    commands.add_parser("demo", help="show a blocked and a passing push on this machine")
    return top


def add_report_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=REPORT_FORMATS, default="text", help="what to print (default: text)")
    command.add_argument("--output", type=Path, default=None, metavar="FILE", help="write the --format there instead")
    command.add_argument("--html", type=Path, default=None, metavar="FILE", help="draw the run on a page of its own")
    command.add_argument("--verbose", action="store_true", default=None, help="say what was found and done")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 pass, 1 blocked, 2 usage, 3 could not validate, 130 interrupted."""
    flags = parser().parse_args(argv)
    from neon_hooks.commands import COMMANDS

    try:
        return COMMANDS[flags.command](flags, os.environ)
    except NeonHooksError as error:
        complain(f"neon-hooks: {error.message}" + (f"\n  fix: {error.fix}" if error.fix else "") + _left(error))
        return error.exit_code
    except KeyboardInterrupt as error:
        ignore_signals()
        by = f" by {error.name}{_left(error)}" if isinstance(error, Interrupted) else ""
        complain(f"neon-hooks: interrupted{by}")
        return Interrupted.exit_code


def _left(error: NeonHooksError | Interrupted) -> str:
    return f"\nwarning: {error.left_over}" if error.left_over else ""
