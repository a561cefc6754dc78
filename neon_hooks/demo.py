"""``neon-hooks demo``: the whole story on this machine, with real git, real pushes and real Postgres.

Nothing outside a temporary directory is touched and no account is needed: an emulated Neon on 127.0.0.1
holds the "production" data, and a real pre-push hook guards a sample repository.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from neon_hooks.database.connect import connect
from neon_hooks.emulator import Emulator
from neon_hooks.report.out import say

CUSTOMERS = 300_000
SCHEMA = """\
CREATE TABLE customers (
    id bigint PRIMARY KEY,
    email text NOT NULL,
    joined_at timestamptz NOT NULL DEFAULT now()
);
"""
PRODUCTION_ROWS = f"""
    INSERT INTO customers (id, email)
    SELECT i, 'customer' || CASE WHEN i % 100000 = 77 THEN 77 ELSE i END || '@example.com'
    FROM generate_series(1, {CUSTOMERS}) i
"""
BREAKS = """\
ALTER TABLE customers ADD COLUMN newsletter boolean NOT NULL DEFAULT false;
ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE (email);
"""
WORKS = """\
SET lock_timeout = '5s';
ALTER TABLE customers ADD COLUMN newsletter boolean NOT NULL DEFAULT false;

-- Keep every customer: the older row keeps the address, later ones are marked for the support team.
UPDATE customers c SET email = c.id || '+duplicate+' || c.email
WHERE EXISTS (SELECT FROM customers older WHERE older.email = c.email AND older.id < c.id);

"""
BLOCKS = WORKS + "CREATE UNIQUE INDEX customers_email_key ON customers (email);\n"
# Whatever interrupts it: it can be started again (see the rules not-rerunnable and rerun-differs).
MENDED = f"""{WORKS.replace("ADD COLUMN", "ADD COLUMN IF NOT EXISTS")}RESET lock_timeout;
DROP INDEX CONCURRENTLY IF EXISTS customers_email_key;
CREATE UNIQUE INDEX CONCURRENTLY customers_email_key ON customers (email);
"""
FIRST, SECOND = "migrations/0001_customers.sql", "migrations/0002_unique_email.sql"
SETTINGS = """\
[tables."public.customers"]  # everybody signs up here
writes_blocked = "100ms"
"""
HOOK = """\
#!/bin/sh
exec "{python}" -m neon_hooks pre-push "$@"
"""


class Sample:
    """A repository with a bare remote and a pre-push hook."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        self.top = home / "shop"
        self.environ = {
            **{name: value for name, value in environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": "Demo",
            "GIT_AUTHOR_EMAIL": "demo@example.com",
            "GIT_COMMITTER_NAME": "Demo",
            "GIT_COMMITTER_EMAIL": "demo@example.com",
        }
        self.top.mkdir()
        for command in (
            f"init --quiet --bare {home / 'origin.git'}",
            "init --quiet --initial-branch=main",
            f"remote add origin {home / 'origin.git'}",
        ):
            self.git(*command.split())

    def git(self, *words: str) -> int:
        """Run git; what it prints goes where our own output goes."""
        return subprocess.run(["git", *words], cwd=self.top, env=self.environ, stdin=subprocess.DEVNULL).returncode

    def commit(self, path: str, text: str, message: str) -> None:
        file = self.top / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        self.git("add", path)
        self.git("commit", "--quiet", "--message", message)

    def push(self) -> int:
        say("    $ git push origin main")
        code = self.git("push", "--quiet", "origin", "main")
        say(f"    (git push ended with exit code {code})\n")
        return code

    def guard(self) -> None:
        hook = self.top / ".git/hooks/pre-push"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(HOOK.format(python=sys.executable))
        hook.chmod(0o755)


def run(environ: dict[str, str]) -> int:
    """Show it. 0 when both bad pushes were blocked, the mended one let through, and main untouched."""
    say("Starting an emulated Neon with embedded Postgres on 127.0.0.1 ...")
    with TemporaryDirectory(prefix="neon-hooks-demo-") as home, Emulator() as emulator:
        with closing(connect(emulator.main)) as production:
            production.execute(SCHEMA.encode())
            production.execute(PRODUCTION_ROWS.encode())
        say(f'The main Neon database branch holds "production": {CUSTOMERS:,} customers.\n')
        sample = Sample(
            Path(home),
            {
                **environ,
                "NEON_API_HOST": emulator.api_host,
                "NEON_API_KEY": emulator.api_key,
                "NEON_PROJECT_ID": emulator.project_id,
                "NEON_HOOKS_VERBOSE": "true",
            },
        )
        sample.commit(".neon-hooks.toml", SETTINGS, "Settings")
        sample.commit(FIRST, SCHEMA, "Customers")
        sample.git("push", "--quiet", "origin", "main")
        sample.guard()

        say("1. A migration that works on an empty database, and breaks on these rows:\n")
        sample.commit(SECOND, BREAKS, "E-mail addresses are unique")
        say(_quoted(BREAKS))
        blocked = sample.push()

        say("2. The duplicates are dealt with, and it works. But nobody can sign up meanwhile:\n")
        sample.commit(SECOND, BLOCKS, "E-mail addresses are unique, duplicates are marked")
        say(_quoted(BLOCKS))
        hurting = sample.push()

        say("3. The same, in a way that keeps nobody waiting, and that can be started again:\n")
        sample.commit(SECOND, MENDED, "E-mail addresses are unique, without a lock")
        say(_quoted(MENDED))
        passed = sample.push()
        return _conclude(emulator, blocked, hurting, passed)


def _quoted(text: str) -> str:
    return "".join(f"    | {line}\n" for line in text.splitlines())


def _conclude(emulator: Emulator, blocked: int, hurting: int, passed: int) -> int:
    with closing(connect(emulator.main)) as production:
        (columns,) = production.execute(
            "select count(*) from information_schema.columns where table_name = 'customers'"
        ).fetchone() or (0,)
    left = [neon_branch for neon_branch in emulator.neon_branches() if not neon_branch["default"]]
    say("What happened:")
    say(f"  the breaking migration was {'blocked' if blocked else 'NOT blocked'}")
    say(f"  the one that keeps others waiting was {'blocked' if hurting else 'NOT blocked'}")
    say(f"  the mended migration was {'let through' if not passed else 'NOT let through'}")
    say(f"  the main Neon database branch is {'untouched' if columns == 3 else 'CHANGED'}: applying is left to you or CI")
    say(f"  test Neon database branches left behind: {len(left)}")
    return 0 if blocked and hurting and not passed and columns == 3 and not left else 1
