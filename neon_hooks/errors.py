"""What can go wrong, as the user meets it: one sentence, one remedy, one exit code.

Every error that a user may see is one of these. ``cli.py`` is the only place that turns them into
output and exit codes; nothing here knows about terminals.
"""

from __future__ import annotations

import signal


class NeonHooksError(Exception):
    """Base of all expected errors.

    ``message`` says what is wrong (naming the file and the key where there is one) and ``fix`` what
    to do about it. ``left_over`` names a test Neon database branch that could not be deleted. None of
    them may hold a secret.
    """

    exit_code = 2

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.left_over = ""


class UsageError(NeonHooksError):
    """A flag, a setting or the state of the repository is not one that we can work with."""


class Unavailable(NeonHooksError):
    """Nothing is known about the migrations: no key, no network, a limit, a fault at Neon."""

    exit_code = 3


class NotInstalled(Unavailable):
    """The project's own tool is not on this machine."""


class DeadlineExceeded(Unavailable):
    """The time that the settings allow was over before the verdict."""


class Interrupted(KeyboardInterrupt):
    """A signal asked us to stop.

    A KeyboardInterrupt, because psycopg cancels the running query on one
    (https://www.psycopg.org/psycopg3/docs/advanced/async.html#interrupting-async-operations).
    """

    exit_code = 130

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum
        self.left_over = ""

    @property
    def name(self) -> str:
        return signal.Signals(self.signum).name


class Blocked(NeonHooksError):
    """Only a person can decide what comes next: something cannot be expressed, or would be lost."""

    exit_code = 1
